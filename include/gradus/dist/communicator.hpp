// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/dist/mpi.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <utility>

// The processes of a program, which MPI's launcher starts: `mpirun -n 4 ./program`.

namespace gradus::inline GRADUS_ARCH {

namespace core {

[[noreturn]] inline void abort_all(MPI_Comm of, std::string_view why) {
    int rank = 0, size = 1;
    MPI_Comm_rank(of, &rank), MPI_Comm_size(of, &size);
    std::fflush(stdout);
    std::fprintf(stderr, "gradus::dist: rank %d of %d ends all of them: %.*s\n", rank, size, static_cast<int>(why.size()), why.data());
    std::fflush(stderr);
    MPI_Abort(of, 1);
    std::abort();
}

/// MPI, from the first communicator to the end of the last, if nobody else has started it.
class mpi_environment {
public:
    static std::shared_ptr<mpi_environment> get() {
        static std::weak_ptr<mpi_environment> current;
        std::shared_ptr<mpi_environment> now = current.lock();
        if (!now) current = now = std::make_shared<mpi_environment>();
        return now;
    }
    mpi_environment() : exceptions_(std::uncaught_exceptions()) {
        int begun = 0, ended = 0, provided = 0;
        check_mpi(MPI_Initialized(&begun), "communicator()");
        check_mpi(MPI_Finalized(&ended), "communicator()");
        if (ended) throw error("gradus::dist::communicator(): MPI has ended with the last communicator and cannot begin again: keep one");
        if (begun) return;
        check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "communicator()");
        is_ours_ = true;
    }
    mpi_environment(mpi_environment const&) = delete;
    mpi_environment& operator=(mpi_environment const&) = delete;
    ~mpi_environment() {
        if (!is_ours_ || has_ended()) return;
        // The others may wait for this rank, and MPI_Finalize for them.
        if (std::uncaught_exceptions() > exceptions_) abort_all(MPI_COMM_WORLD, "an exception leaves the program's last communicator");
        MPI_Finalize();
    }
    static bool has_ended() {
        int ended = 0;
        return MPI_Finalized(&ended) != MPI_SUCCESS || ended;
    }

private:
    int exceptions_;
    bool is_ours_ = false;
};

}  // namespace core

namespace dist {

/// A group of processes, each of which has a number, its rank. A handle: copies are the same group.
///
/// The first one starts MPI if nobody has, and the last one ends it. Collective functions are called by all ranks of a communicator, in the
/// same order; those of different communicators do not meet. Errors of MPI's are thrown as gr::error.
class communicator {
public:
    /// All processes of the program.
    communicator() : communicator(core::mpi_environment::get(), MPI_COMM_WORLD) {}
    /// A duplicate of a communicator of MPI's. Collective.
    explicit communicator(MPI_Comm of) : communicator(core::mpi_environment::get(), of) {}

    int rank() const { return state_->rank; }
    int size() const { return state_->size; }
    /// Returns when all ranks have called it.
    void barrier() const { core::check_mpi(MPI_Barrier(mpi()), "communicator::barrier()"); }
    /// The ranks that give the same colour, in the order of their keys, then of their ranks. Collective.
    communicator split(int color, int key = 0) const {
        MPI_Comm part = MPI_COMM_NULL;
        core::check_mpi(MPI_Comm_split(mpi(), color, key, &part), "communicator::split(color, key)");
        communicator made(state_->environment, part);
        MPI_Comm_free(&part);
        return made;
    }
    /// Prints why, and ends all processes, whatever they wait for.
    [[noreturn]] void abort(std::string_view why) const { core::abort_all(mpi(), why); }
    /// The communicator of MPI's, for functions of MPI's.
    MPI_Comm mpi() const { return state_->mpi; }

private:
    struct state {
        std::shared_ptr<core::mpi_environment> environment;
        MPI_Comm mpi = MPI_COMM_NULL;
        int rank = 0, size = 1, exceptions = std::uncaught_exceptions();

        explicit state(std::shared_ptr<core::mpi_environment> e) : environment(std::move(e)) {}
        state(state const&) = delete;
        state& operator=(state const&) = delete;
        ~state() {  // freeing it is collective: not on the way of an exception
            if (mpi != MPI_COMM_NULL && std::uncaught_exceptions() <= exceptions && !core::mpi_environment::has_ended())
                MPI_Comm_free(&mpi);
        }
    };
    communicator(std::shared_ptr<core::mpi_environment> environment, MPI_Comm of)
        : state_(std::make_shared<state>(std::move(environment))) {
        core::check_mpi(MPI_Comm_dup(of, &state_->mpi), "communicator()");
        MPI_Comm_set_errhandler(mpi(), MPI_ERRORS_RETURN);
        core::check_mpi(MPI_Comm_rank(mpi(), &state_->rank), "communicator()");
        core::check_mpi(MPI_Comm_size(mpi(), &state_->size), "communicator()");
    }
    std::shared_ptr<state> state_;
};

/// Runs a program on all processes: `int main() { return gr::dist::run([](gr::dist::communicator const& world) { ... }); }`. An exception
/// that leaves `f` on one rank is printed with the rank, and ends all of them: none waits for ever for one that is gone.
template <class F>
int run(F&& f) {
    communicator const world;
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<F&, communicator const&>>) f(world);
        else return f(world);
    } catch (std::exception const& e) { world.abort(e.what()); } catch (...) {
        world.abort("an exception that is no std::exception");
    }
    return 0;
}

/// Calls `f` on one rank while the others wait: to write a file, which then is one. Throws error on all ranks if f throws. Collective.
template <class F>
void on_rank(communicator const& all, int rank, F&& f) {
    std::string wrong;
    if (all.rank() == rank) try {
            f();
        } catch (std::exception const& e) { wrong = *e.what() ? e.what() : "an exception without a message"; }
    int length = core::mpi_count(static_cast<std::int64_t>(wrong.size()), "on_rank(communicator, rank, f)");
    core::check_mpi(MPI_Bcast(&length, 1, MPI_INT, rank, all.mpi()), "on_rank(communicator, rank, f)");
    if (length == 0) return;
    wrong.resize(static_cast<std::size_t>(length));
    core::check_mpi(MPI_Bcast(wrong.data(), length, MPI_CHAR, rank, all.mpi()), "on_rank(communicator, rank, f)");
    throw error(core::concat("gradus::dist: on rank ", rank, ": ", wrong).str());
}

}  // namespace dist
}  // namespace gradus::inline GRADUS_ARCH
