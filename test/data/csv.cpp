// SPDX-License-Identifier: BSL-1.0
#include "../io/files.hpp"

#include <gradus/data.hpp>

#include <cmath>

namespace gr = gradus;
using gr::data::parse_csv;
using messages::contains;
using messages::elements;

namespace {

std::string refused(std::string const& text, gr::data::csv_options const& options = {}) {
    return messages::of<gr::error>([&] { parse_csv(text, options); });
}
std::string refused_number(auto value, std::string const& field) {
    auto const table = parse_csv("x\n" + field + "\n");
    return messages::of<gr::io_error>([&] { table.column<decltype(value)>("x"); });
}

}  // namespace

TEST_CASE("csv: a header, numbers, words") {
    auto const table = parse_csv("length,width,species\n5.1,3.5,setosa\r\n7.0,3.2,versicolor\n\n6.3,3.3,setosa");
    CHECK(table.rows() == 3);
    CHECK(table.columns() == 3);
    CHECK(table.names() == std::vector<std::string>{"length", "width", "species"});
    auto const x = table.to<gr::tensor<float, gr::dyn, 2>>({"width", "length"});
    CHECK(elements(x) == std::vector<float>{3.5f, 5.1f, 3.2f, 7.0f, 3.3f, 6.3f});
    CHECK(elements(table.column<double>("length")) == std::vector<double>{5.1, 7.0, 6.3});
    auto const species = table.as_categories("species");
    CHECK(species.names == std::vector<std::string>{"setosa", "versicolor"});
    CHECK(elements(species.codes) == std::vector<std::int64_t>{0, 1, 0});
    CHECK(elements(table.as_categories("species", {"virginica", "versicolor", "setosa"}).codes) == std::vector<std::int64_t>{2, 1, 2});
    CHECK(contains(messages::of<gr::io_error>([&] { table.as_categories("species", {"setosa"}); }),
                   "text:3:9: \"versicolor\" in column \"species\" is no known category"));
    CHECK(contains(messages::of<gr::error>([&] { table.as_categories("species", {"a", "a"}); }), "two categories have one name"));
    CHECK(contains(messages::of<gr::shape_error>([&] { table.to<gr::tensor<float, gr::dyn, 3>>({"width"}); }),
                   "the file has float[3,1], asked for is float[dyn,3]"));
    CHECK(contains(messages::of<gr::error>([&] { table.column<float>("depth"); }), "there is no column \"depth\""));
    CHECK(contains(messages::of<gr::error>([&] { table.field(3, 0); }), "no field 3, 0 in 3 rows of 3"));
}

TEST_CASE("csv: quotes, delimiters, a mark of UTF-8, no header") {
    auto const table =
        parse_csv("\xef\xbb\xbf\"a,b\";\"say \"\"yes\"\"\";\"two\nlines\";x\"y;\"\"\n1;2;3;4;5\n", {.delimiter = ';', .header = false});
    REQUIRE(table.rows() == 2);
    CHECK(table.field(0, 0) == "a,b");
    CHECK(table.field(0, 1) == "say \"yes\"");
    CHECK(table.field(0, 2) == "two\nlines");
    CHECK(table.field(0, 3) == "x\"y");
    CHECK(table.field(0, 4).empty());
    CHECK(table.names()[4] == "4");
    auto const numbers = parse_csv("1,2\n3,4", {.header = false});
    CHECK(elements(numbers.to<gr::tensor<std::int32_t, 2, 2>>()) == std::vector{1, 2, 3, 4});
    CHECK(contains(messages::of<gr::io_error>([&] { table.column<float>("0"); }), "text:1:1: \"a,b\" in column \"0\" is no float"));
    auto const behind = parse_csv("a,b\n\"x\ny\",z\n");
    CHECK(contains(messages::of<gr::io_error>([&] { behind.column<float>("b"); }), "text:3:4: \"z\" in column \"b\" is no float"));
    auto const later = parse_csv("a,b\n\"x\ny\",1\n2,z\n");
    CHECK(contains(messages::of<gr::io_error>([&] { later.column<float>("b"); }), "text:4:3: \"z\" in column \"b\" is no float"));
}

TEST_CASE("csv: missing values are NaN, what is given, or refused") {
    auto const table = parse_csv("x,n,c\n1,,\nNA,2,b\n, 3 ,b\n");
    auto const x = table.column<float>("x");
    CHECK(x(0) == 1);
    CHECK(std::isnan(x(1)));
    CHECK(std::isnan(x(2)));
    CHECK(elements(table.column<float>("x", -1.0f)) == std::vector<float>{1, -1, -1});
    CHECK(elements(table.column<std::int64_t>("n", 0)) == std::vector<std::int64_t>{0, 2, 3});
    CHECK(messages::of<gr::io_error>([&] { table.column<std::int32_t>("n"); }) ==
          "gradus::data::read_csv: text:2:3: \"\" in column \"n\" is missing");
    CHECK(contains(messages::of<gr::io_error>([&] { table.as_categories("c"); }), "text:2:4: \"\" in column \"c\" is missing"));
    auto const other = parse_csv("x\n?\nNA\n", {.missing = {"?"}});
    CHECK(other.is_missing(0, 0));
    CHECK(!other.is_missing(1, 0));
    CHECK(elements(table.to<gr::tensor<double, 3, 2>>({"x", "n"}, 9)) == std::vector<double>{1, 9, 9, 2, 9, 3});
}

TEST_CASE("csv: numbers are read whole, and fit their type") {
    auto const table = parse_csv("x\n+1.5\n-2e3\n inf \n1e-40\n.5\n3\n");
    auto const x = table.column<double>("x");
    CHECK(elements(x) == std::vector<double>{1.5, -2000, INFINITY, 1e-40, 0.5, 3});
    CHECK(elements(table.column<float>("x"))[3] == 1e-40f);
    CHECK(elements(parse_csv("b\n1\nFalse\ntrue").column<bool>("b")) == std::vector{true, false, true});
    CHECK(static_cast<float>(parse_csv("h\n1.5").column<gr::bfloat16>("h")(0)) == 1.5f);
    CHECK(contains(refused_number(0.0f, "1e39"), "\"1e39\" in column \"x\" is no float"));
    CHECK(contains(refused_number(0.0, "1e400"), "is no double"));
    CHECK(contains(refused_number(gr::float16(0), "70000"), "is no float16"));
    CHECK(contains(refused_number(0.0f, "1.5x"), "is no float"));
    CHECK(contains(refused_number(0.0f, "+-1"), "is no float"));
    CHECK(contains(refused_number(std::int32_t{}, "1.0"), "is no int32"));
    CHECK(contains(refused_number(std::int32_t{}, "3000000000"), "is no int32"));
    CHECK(contains(refused_number(std::int64_t{}, "3000000000"), "nothing is thrown"));
    CHECK(contains(refused_number(true, "2"), "is no bool"));
}

TEST_CASE("csv: what is no table") {
    CHECK(refused("a,b\n1,2\n3\n") == "gradus::data::read_csv: text:3:1: a line of 1 fields, the first has 2");
    CHECK(refused("a,b\n1,2,\n") == "gradus::data::read_csv: text:2:1: a line of 3 fields, the first has 2");
    CHECK(refused("a,b\n1,\"2\n") == "gradus::data::read_csv: text:2:3: a quoted field without end");
    CHECK(refused("a,b\n1,\"2\"3\n") == "gradus::data::read_csv: text:2:6: something behind a quoted field");
    CHECK(refused("a,a\n") == "gradus::data::read_csv: text:1:3: two columns are named \"a\"");
    CHECK(contains(refused("a", {.delimiter = '"'}), "are three characters"));
    CHECK(parse_csv("").rows() == 0);
    CHECK(parse_csv("").columns() == 0);
    CHECK(parse_csv("a,b\n").rows() == 0);
    CHECK(parse_csv("a,b\n").to<gr::tensor<float, gr::dyn, 2>>().size() == 0);
    CHECK(
        contains(messages::of<gr::io_error>([] { gr::data::read_csv("/nowhere.csv"); }), "data::read_csv: /nowhere.csv: cannot be opened"));
}

TEST_CASE("csv: a file; any text is a table or refused") {
    files::temporary const directory;
    files::write(directory / "x.csv", "a\n1\nx\n");
    auto const table = gr::data::read_csv(directory / "x.csv");
    CHECK(messages::of<gr::io_error>([&] { table.column<float>("a"); }) ==
          "gradus::data::read_csv: " + (directory / "x.csv").string() + ":3:1: \"x\" in column \"a\" is no float");
    gr::random random(5);
    int accepted = 0, refusals = 0;
    for (int i = 0; i < (gr::sanitizes_memory ? 2000 : 20000); ++i) {
        std::string text = "a,b\n";
        for (auto n = random.next() % 24; n > 0; --n) text += "1,\"\n\r \",,\n"[random.next() % 10];
        try {
            auto const t = parse_csv(text);
            CHECK(t.columns() == 2);
            std::size_t letters = 0;
            for (std::int64_t r = 0; r < t.rows(); ++r) letters += t.field(r, 0).size() + t.field(r, 1).size();
            CHECK(letters < text.size());
            ++accepted;
        } catch (gr::io_error const&) { ++refusals; }
    }
    CHECK(accepted > 100);
    CHECK(refusals > 100);
}
