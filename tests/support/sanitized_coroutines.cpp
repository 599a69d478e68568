// Boost.Context's switch by ucontext, which tells the sanitizers what it does, needs these few definitions of its compiled library; the one
// that systems ship is built for the switch in assembler and lacks them.

#include <boost/context/fiber.hpp>

namespace boost::context::detail {

namespace {

/// The thread's own context, from which the first coroutine is entered.
struct thread_context {
    fiber_activation_record own{};
    fiber_activation_record* current = &own;
};

[[gnu::noinline]] thread_context& here() {
    asm volatile("" ::: "memory");
    static thread_local thread_context context;
    return context;
}

}  // namespace

fiber_activation_record*& fiber_activation_record::current() noexcept { return here().current; }

}  // namespace boost::context::detail
