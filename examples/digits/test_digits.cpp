// SPDX-License-Identifier: BSL-1.0
// Tests of the plain C++ parts of the digits example.
#ifdef DIGITS_TEST_MAIN
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#endif
#include <doctest/doctest.h>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#include "confusion.hpp"
#include "dataset.hpp"
#include "draw.hpp"
#include "idx.hpp"
#include "idx_writer.hpp"
#include "mnist.hpp"
#include "picture.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// A new directory of its own, removed with all its files in the end.
class scratch {
public:
    scratch() {
        static std::atomic<int> used{0};
        auto const now = std::chrono::steady_clock::now().time_since_epoch().count();
        // The clock keeps test programs that run at the same time apart; create_directory tells if it did not.
        do {
            place_ = fs::temp_directory_path() / ("digits-" + std::to_string(now) + '-' + std::to_string(used++));
        } while (!fs::create_directory(place_));
    }
    scratch(scratch const&) = delete;
    scratch& operator=(scratch const&) = delete;
    ~scratch() {
        std::error_code ignored;
        fs::remove_all(place_, ignored);
    }
    [[nodiscard]] fs::path file(std::string const& name) const { return place_ / name; }
    [[nodiscard]] fs::path const& place() const { return place_; }

private:
    fs::path place_;
};

std::string bytes_of(fs::path const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The header fields as big-endian bytes, followed by `payload` bytes of value 0.
std::string idx(std::vector<std::uint32_t> const& fields, std::size_t payload) {
    std::string bytes;
    for (std::uint32_t const field : fields) { digits::append_field(bytes, field); }
    return bytes + std::string(payload, '\0');
}

/// What read_idx() says about these two files, or "" when it reads them; the name of the scratch directory is cut.
std::string complaint(std::string const& images, std::string const& labels) {
    scratch const dir;
    digits::write_bytes(dir.file("images"), images);
    digits::write_bytes(dir.file("labels"), labels);
    try {
        static_cast<void>(digits::read_idx(dir.file("images"), dir.file("labels")));
    } catch (std::runtime_error const& error) {
        std::string text = error.what();
        std::string const prefix = dir.place().string() + '/';
        for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) { text.erase(at, prefix.size()); }
        return text;
    }
    return "";
}

/// The what() of the std::runtime_error that `action` throws, or "" when it throws none.
template <class Action>
std::string message(Action const& action) {
    try {
        action();
    } catch (std::runtime_error const& error) { return error.what(); }
    return "";
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t occurrences(std::string_view text, std::string_view part) {
    std::size_t times = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) { ++times; }
    return times;
}

/// Whether every tag is closed in the right order, every attribute is quoted and one root holds all the rest.
bool well_formed(std::string_view xml) {
    std::vector<std::string_view> open;
    int roots = 0;
    for (auto at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
        auto const end = xml.find('>', at);
        if (end == std::string_view::npos || xml.substr(at + 1, end - at - 1).find('<') != std::string_view::npos) { return false; }
        std::string_view const tag = xml.substr(at + 1, end - at - 1);
        bool inside = false;
        for (auto quote = tag.find('"'); quote != std::string_view::npos; quote = tag.find('"', quote + 1)) {
            if (!inside && tag[quote - 1] != '=') { return false; }
            inside = !inside;
        }
        if (tag.empty() || inside) { return false; }
        if (tag.front() == '?') { continue; }
        if (tag.front() == '/') {
            if (open.empty() || open.back() != tag.substr(1)) { return false; }
            open.pop_back();
            continue;
        }
        roots += open.empty() ? 1 : 0;
        if (tag.back() != '/') { open.push_back(tag.substr(0, tag.find(' '))); }
    }
    return open.empty() && roots == 1;
}

constexpr std::uint32_t image_magic = 0x803;
constexpr std::uint32_t label_magic = 0x801;
std::string const two_images = idx({image_magic, 2, 28, 28}, 2 * digits::pixels);
std::string const two_labels = idx({label_magic, 2}, 2);

}  // namespace

TEST_CASE("splitmix: the numbers are those of the published generator") {
    digits::splitmix random(1234567);
    CHECK(random.next() == 6457827717110365317U);
    CHECK(random.next() == 3203168211198807973U);
    CHECK(random.next() == 9817491932198370423U);
}

TEST_CASE("splitmix: below and between keep their bounds and reach them") {
    digits::splitmix random(5);
    std::set<int> seen;
    for (int i = 0; i < 1000; ++i) {
        CHECK(random.below(1) == 0);
        CHECK(std::abs(random.bell(10)) <= 10);
        seen.insert(random.between(-2, 2));
    }
    CHECK(seen == std::set<int>{-2, -1, 0, 1, 2});
    int const lowest = std::numeric_limits<int>::min();
    CHECK(random.between(lowest, std::numeric_limits<int>::max()) >= lowest);
}

TEST_CASE("dataset: an image is 784 pixels and a wrong index is refused") {
    auto const set = digits::draw(3, 1);
    CHECK(set.image(2).size() == 784);
    CHECK(set.image(2).data() == set.images.data() + 2 * 784);
    CHECK_THROWS_AS(static_cast<void>(set.image(3)), std::out_of_range);
    digits::dataset const hollow{{}, {7}};
    CHECK_THROWS_AS(static_cast<void>(hollow.image(0)), std::out_of_range);
}

TEST_CASE("shuffled_order: every number once, by the seed") {
    auto const order = digits::shuffled_order(1000, 3);
    CHECK(std::set<std::size_t>(order.begin(), order.end()).size() == 1000);
    CHECK(*std::max_element(order.begin(), order.end()) == 999);
    CHECK(order == digits::shuffled_order(1000, 3));
    CHECK(order != digits::shuffled_order(1000, 4));
    CHECK(digits::shuffled_order(0, 3).empty());
    CHECK(digits::shuffled_order(1, 3) == std::vector<std::size_t>{0});
}

TEST_CASE("shuffled_order: each number comes first equally often") {
    std::array<int, 4> first{};
    for (std::uint64_t seed = 0; seed < 4000; ++seed) { ++first.at(digits::shuffled_order(4, seed)[0]); }
    for (int const times : first) {
        CHECK(std::abs(times - 1000) < 140);  // Five standard deviations of a binomial count.
    }
}

TEST_CASE("split: the parts are disjoint and complete") {
    digits::dataset all;
    for (std::size_t i = 0; i < 103; ++i) {
        all.labels.push_back(static_cast<std::int32_t>(i % 10));
        all.images.insert(all.images.end(), digits::pixels, static_cast<float>(i) / 103.0F);
    }
    auto const parts = digits::split(all, 0.2, 9);
    CHECK(parts.test.size() == 21);
    CHECK(parts.train.size() == 82);
    std::set<float> seen;
    for (auto const* part : {&parts.train, &parts.test}) {
        CHECK(part->images.size() == part->size() * digits::pixels);
        for (std::size_t i = 0; i < part->size(); ++i) {
            auto const image = part->image(i);
            CHECK(image.front() == image.back());
            CHECK(std::lround(image.front() * 103.0F) % 10 == part->labels[i]);
            seen.insert(image.front());
        }
    }
    CHECK(seen.size() == all.size());
    CHECK(digits::split(all, 0.2, 9).test.images == parts.test.images);
    CHECK(digits::split(all, 0.2, 8).test.images != parts.test.images);
}

TEST_CASE("split: fractions 0 and 1 leave one part empty, others outside are refused") {
    auto const all = digits::draw(5, 1);
    CHECK(digits::split(all, 0.0, 1).test.size() == 0);
    CHECK(digits::split(all, 1.0, 1).train.size() == 0);
    CHECK(digits::split({}, 0.5, 1).train.size() == 0);
    for (double const wrong : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_AS(static_cast<void>(digits::split(all, wrong, 1)), std::invalid_argument);
    }
}

TEST_CASE("idx: what was written is read back") {
    scratch const dir;
    auto const set = digits::draw(25, 4);
    digits::write_idx(set, dir.file("images"), dir.file("labels"));
    auto const again = digits::read_idx(dir.file("images"), dir.file("labels"));
    CHECK(again.images == set.images);
    CHECK(again.labels == set.labels);
}

TEST_CASE("idx: the bytes are those of the published format") {
    scratch const dir;
    digits::dataset set{std::vector<float>(784), {7}};
    set.images[1] = 1.0F;
    digits::write_idx(set, dir.file("images"), dir.file("labels"));
    CHECK(bytes_of(dir.file("labels")) == std::string("\0\0\x08\x01\0\0\0\x01\x07", 9));
    auto const images = bytes_of(dir.file("images"));
    CHECK(images.size() == 16 + 784);
    CHECK(images.substr(0, 18) == std::string("\0\0\x08\x03\0\0\0\x01\0\0\0\x1c\0\0\0\x1c\0\xff", 18));
}

TEST_CASE("idx: what the format cannot hold is not written") {
    scratch const dir;
    auto const write = [&dir](digits::dataset const& set) { digits::write_idx(set, dir.file("images"), dir.file("labels")); };
    CHECK_THROWS_AS(write({std::vector<float>(783), {1}}), std::invalid_argument);
    CHECK_THROWS_AS(write({std::vector<float>(784), {10}}), std::invalid_argument);
    CHECK_THROWS_AS(write({std::vector<float>(784, 1.5F), {1}}), std::invalid_argument);
    CHECK_THROWS_AS(write({std::vector<float>(784, std::nanf("")), {1}}), std::invalid_argument);
    CHECK_FALSE(fs::exists(dir.file("images")));
    auto const nowhere = dir.file("missing") / "images";
    CHECK(message([&] { digits::write_bytes(nowhere, "x"); }) ==
          nowhere.string() + ": expected to write 1 bytes, found that the file cannot be written");
}

TEST_CASE("idx: good files are read without complaint") { CHECK(complaint(two_images, two_labels).empty()); }

TEST_CASE("idx: a missing file is named") {
    scratch const dir;
    auto const images = dir.file("images");
    CHECK(message([&] { static_cast<void>(digits::read_idx(images, images)); }) ==
          images.string() + ": expected an IDX image file, found no such file");
}

TEST_CASE("idx: a directory is not a file") {
    scratch const dir;
    CHECK(message([&] { static_cast<void>(digits::read_idx(dir.place(), dir.place())); }) ==
          dir.place().string() + ": expected an IDX image file, found a directory");
}

TEST_CASE("idx: an empty file is refused") {
    CHECK(complaint("", two_labels) == "images: expected an IDX image file, found an empty file");
    CHECK(complaint(two_images, "") == "labels: expected an IDX label file, found an empty file");
}

TEST_CASE("idx: a packed file is refused with the remedy") {
    CHECK(complaint("\x1f\x8b\x08", two_labels) == "images: expected an IDX image file, found a gzip file; run gunzip on it first");
    CHECK(complaint(two_images, "\x1f\x8b\x08 and more bytes") ==
          "labels: expected an IDX label file, found a gzip file; run gunzip on it first");
}

TEST_CASE("idx: a file shorter than its header is refused") {
    CHECK(complaint(two_images.substr(0, 15), two_labels) == "images: expected a header of 16 bytes, found only 15 bytes");
    CHECK(complaint(two_images, two_labels.substr(0, 1)) == "labels: expected a header of 8 bytes, found only 1 bytes");
}

TEST_CASE("idx: a wrong magic number is refused") {
    CHECK(complaint(idx({0xdeadbeef, 2, 28, 28}, 2 * 784), two_labels) ==
          "images: expected an IDX image file with magic number 0x00000803, found 0xdeadbeef");
    CHECK(complaint(two_images, two_images) ==
          "labels: expected an IDX label file with magic number 0x00000801, "
          "found 0x00000803, the other kind of IDX file");
    CHECK(complaint(idx({label_magic, 20}, 20), two_labels) ==
          "images: expected an IDX image file with magic number 0x00000803, "
          "found 0x00000801, the other kind of IDX file");
}

TEST_CASE("idx: pictures of another size are refused") {
    CHECK(complaint(idx({image_magic, 2, 28, 27}, 2 * 28 * 27), two_labels) == "images: expected images of 28 x 28 pixels, found 28 x 27");
    CHECK(complaint(idx({image_magic, 2, 14, 56}, 2 * 784), two_labels) == "images: expected images of 28 x 28 pixels, found 14 x 56");
}

TEST_CASE("idx: a header that counts nothing is refused") {
    CHECK(complaint(idx({image_magic, 0, 28, 28}, 0), two_labels) ==
          "images: expected at least one image, found a header that counts none");
}

TEST_CASE("idx: a truncated file is refused") {
    CHECK(complaint(two_images.substr(0, 1000), two_labels) ==
          "images: expected 1584 bytes for the 2 images in its header, found 1000, so it is cut short");
    CHECK(complaint(two_images, two_labels.substr(0, 9)) ==
          "labels: expected 10 bytes for the 2 labels in its header, found 9, so it is cut short");
}

TEST_CASE("idx: a boastful header allocates nothing") {
    CHECK(complaint(idx({image_magic, 0xffffffff, 28, 28}, 0), two_labels) ==
          "images: expected 3367254359296 bytes for the 4294967295 images in its header, found 16, "
          "so it is cut short");
}

TEST_CASE("idx: left-over bytes are refused") {
    CHECK(complaint(two_images + "x", two_labels) ==
          "images: expected 1584 bytes for the 2 images in its header, found 1585, so bytes are left over");
    CHECK(complaint(two_images, two_labels + "xy") ==
          "labels: expected 10 bytes for the 2 labels in its header, found 12, so bytes are left over");
}

TEST_CASE("idx: files that count differently do not belong together") {
    CHECK(complaint(two_images, idx({label_magic, 3}, 3)) == "labels: expected 2 labels, one for each image of images, found 3");
}

TEST_CASE("idx: a label that is no digit is refused") {
    CHECK(complaint(two_images, idx({label_magic, 2}, 1) + '\x0a') == "labels: expected labels 0 to 9, found 10 as label number 1");
    CHECK(complaint(two_images, idx({label_magic, 2}, 0) + "\xff" + '\0') == "labels: expected labels 0 to 9, found 255 as label number 0");
}

TEST_CASE("mnist: the four files are found under either spelling") {
    scratch const dir;
    auto const train = digits::draw(20, 1);
    auto const test = digits::draw(10, 2);
    digits::write_idx(train, dir.file("train-images-idx3-ubyte"), dir.file("train-labels.idx1-ubyte"));
    digits::write_idx(test, dir.file("t10k-images.idx3-ubyte"), dir.file("t10k-labels-idx1-ubyte"));
    digits::mnist const both = digits::load_mnist(dir.place());
    CHECK(both.train.images == train.images);
    CHECK(both.train.labels == train.labels);
    CHECK(both.test.images == test.images);
    CHECK(both.test.labels == test.labels);
}

TEST_CASE("mnist: a missing directory, a missing file and a packed file are named") {
    scratch const dir;
    auto const load = [](fs::path const& place) { return message([&] { static_cast<void>(digits::load_mnist(place)); }); };
    auto const missing = dir.file("missing");
    CHECK(load(missing) == missing.string() + ": expected a directory with the MNIST files, found no such directory");
    CHECK(load(dir.place()) == dir.place().string() +
                                   ": expected a file train-images-idx3-ubyte or "
                                   "train-images.idx3-ubyte, found neither");
    digits::write_bytes(dir.file("train-images-idx3-ubyte.gz"), "\x1f\x8b");
    CHECK(load(dir.place()) == dir.place().string() +
                                   ": expected a file train-images-idx3-ubyte, found "
                                   "train-images-idx3-ubyte.gz; run gunzip on it first");
}

TEST_CASE("draw: the same seed draws the same bits, everywhere") {
    auto const set = digits::draw(500, 42);
    auto const again = digits::draw(500, 42);
    CHECK(set.images == again.images);
    CHECK(set.labels == again.labels);
    CHECK(set.images != digits::draw(500, 43).images);
    std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a over the grey steps and labels.
    for (float const ink : set.images) { hash = (hash ^ static_cast<std::uint64_t>(std::lround(ink * 255.0F))) * 0x100000001b3U; }
    for (std::int32_t const label : set.labels) { hash = (hash ^ static_cast<std::uint64_t>(label)) * 0x100000001b3U; }
    CHECK(hash == 1078319454043706943U);
}

TEST_CASE("draw: every class is drawn equally often") {
    for (std::size_t const n : {std::size_t{10}, std::size_t{1000}, std::size_t{1003}}) {
        auto const set = digits::draw(n, 7);
        CHECK(set.images.size() == n * digits::pixels);
        for (int digit = 0; digit < digits::classes; ++digit) {
            auto const times = static_cast<std::size_t>(std::count(set.labels.begin(), set.labels.end(), digit));
            CHECK(times >= n / 10);
            CHECK(times <= n / 10 + 1);
        }
    }
    CHECK(digits::draw(0, 7).size() == 0);
}

TEST_CASE("draw: pixels are from 0 to 1, the pen leaves dark ink, the corners stay white") {
    auto const set = digits::draw(2000, 11);
    for (std::size_t i = 0; i < set.size(); ++i) {
        auto const image = set.image(i);
        auto const [least, most] = std::minmax_element(image.begin(), image.end());
        CHECK(*least == 0.0F);
        CHECK(*most > 0.7F);
        CHECK(*most <= 1.0F);
        double ink = 0;
        for (float const value : image) { ink += static_cast<double>(value); }
        CHECK(ink > 15);
        CHECK(ink < 300);
        float const corners = image[0] + image[27] + image[27 * 28] + image[783];
        CHECK(corners == 0.0F);
    }
}

TEST_CASE("draw: no two digits are alike") {
    auto const set = digits::draw(300, 5);
    std::set<std::vector<float>> seen;
    for (std::size_t i = 0; i < set.size(); ++i) {
        auto const image = set.image(i);
        seen.emplace(image.begin(), image.end());
    }
    CHECK(seen.size() == set.size());
}

TEST_CASE("confusion: the numbers add up") {
    digits::confusion matrix;
    CHECK(matrix.accuracy() == 0.0);
    matrix.add(4, 9);
    matrix.add(4, 4);
    matrix.add(4, 4);
    matrix.add(0, 0);
    CHECK(matrix.count(4, 9) == 1);
    CHECK(matrix.count(9, 4) == 0);
    CHECK(matrix.count(4, 4) == 2);
    CHECK(matrix.row_total(4) == 3);
    CHECK(matrix.total() == 4);
    CHECK(matrix.correct() == 3);
    CHECK(matrix.accuracy() == doctest::Approx(0.75));
}

TEST_CASE("confusion: what is no digit is refused") {
    digits::confusion matrix;
    CHECK_THROWS_AS(matrix.add(10, 0), std::out_of_range);
    CHECK_THROWS_AS(matrix.add(0, -1), std::out_of_range);
    CHECK_THROWS_AS(static_cast<void>(matrix.count(-1, 0)), std::out_of_range);
    CHECK(matrix.total() == 0);
}

TEST_CASE("confusion: the printed table is aligned") {
    digits::confusion matrix;
    for (int i = 0; i < 12345; ++i) { matrix.add(3, 5); }
    std::ostringstream out;
    out << matrix;
    std::istringstream lines(out.str());
    std::vector<std::string> table;
    for (std::string line; std::getline(lines, line);) { table.push_back(line); }
    REQUIRE(table.size() == 11);
    for (auto const& line : table) { CHECK(line.size() == table[0].size()); }
    CHECK(contains(table[4], " 3     .     .     .     .     . 12345     ."));
}

TEST_CASE("png: base64 is that of RFC 4648") {
    CHECK(digits::base64("").empty());
    CHECK(digits::base64("f") == "Zg==");
    CHECK(digits::base64("fo") == "Zm8=");
    CHECK(digits::base64("foo") == "Zm9v");
    CHECK(digits::base64("foobar") == "Zm9vYmFy");
    CHECK(digits::base64("\xff\xfe") == "//4=");
}

TEST_CASE("png: a packed picture says its size, another number of pixels is refused") {
    std::vector<unsigned char> const grey(6, 128);
    auto const bytes = digits::png(grey, 3, 2);
    CHECK(bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n");
    CHECK(bytes.substr(16, 8) == std::string("\0\0\0\x03\0\0\0\x02", 8));
    CHECK_THROWS_AS(static_cast<void>(digits::png(grey, 4, 2)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(digits::png(grey, 0, 2)), std::invalid_argument);
}

TEST_CASE("chart: ticks are round and enclose the data") {
    for (auto const& [low, high] : {std::pair{0.0, 2.33}, {61.0, 100.0}, {-3e-5, 4e-4}, {5.0, 5.0}, {0.0, 3e38}}) {
        auto const axis = digits::round_ticks(low, high, 5);
        CHECK(axis.first <= low);
        CHECK(axis.last() >= high);
        CHECK(axis.count >= 2);
        CHECK(axis.count <= 12);
    }
    auto const axis = digits::round_ticks(0, 2.33, 5);
    CHECK(axis.name(0) == "0.0");
    CHECK(axis.name(axis.count - 1) == "2.5");
}

TEST_CASE("picture: the report is well-formed and shows 24 of many misread digits") {
    scratch const dir;
    auto const test = digits::draw(30, 1);
    digits::confusion matrix;
    std::vector<digits::misread> wrong;
    for (std::size_t i = 0; i < test.size(); ++i) {
        int const truth = test.labels[i];
        matrix.add(truth, (truth + 1) % 10);
        wrong.push_back({i, truth, (truth + 1) % 10});
    }
    auto const file = dir.file("report.svg");
    digits::write_report(file, {{2.3F, 0.1F}, {1.0F, 0.7F}, {0.5F, 0.9F}}, test, wrong, matrix, "1 < 2 & \"3\"");
    auto const page = bytes_of(file);
    CHECK(well_formed(page));
    CHECK(occurrences(page, "<image") == 24);
    CHECK(contains(page, "the first 24 of 30"));
    CHECK(contains(page, "1 &lt; 2 &amp; &quot;3&quot;"));
    CHECK(contains(page, "0 of 30 test digits read rightly (0.0 %) after 3 epochs"));
    CHECK(contains(page, ">Confusion matrix<"));
    CHECK(contains(page, ">epoch<"));
}

TEST_CASE("picture: nothing to show and numbers that are not finite leave a well-formed report") {
    scratch const dir;
    auto const file = dir.file("report.svg");
    float const nan = std::numeric_limits<float>::quiet_NaN();
    float const infinite = std::numeric_limits<float>::infinity();
    float const large = std::numeric_limits<float>::max();
    std::vector<std::vector<digits::epoch>> const runs{
        {}, {{1.0F, 0.5F}}, {{nan, nan}}, {{infinite, 0.1F}, {1.0F, -infinite}}, {{large, 1.0F}, {-large, 0.0F}}};
    for (auto const& epochs : runs) {
        digits::write_report(file, epochs, {}, {}, {});
        auto const page = bytes_of(file);
        CHECK(well_formed(page));
        CHECK(contains(page, "No misread digits"));
        CHECK_FALSE(contains(page, "=\"nan"));
        CHECK_FALSE(contains(page, "=\"inf"));
    }
}

TEST_CASE("picture: a misread digit outside the test set and a file that cannot be written are refused") {
    scratch const dir;
    auto const test = digits::draw(2, 1);
    CHECK_THROWS_AS(digits::write_report(dir.file("a.svg"), {}, test, {{2, 1, 7}}, {}), std::out_of_range);
    CHECK_FALSE(fs::exists(dir.file("a.svg")));
    auto const nowhere = dir.file("missing") / "a.svg";
    CHECK(message([&] { digits::write_report(nowhere, {}, test, {}, {}); }) ==
          nowhere.string() + ": expected to write the report, found that it cannot be written");
}
