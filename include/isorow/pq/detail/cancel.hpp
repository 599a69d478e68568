#pragma once

#include <isorow/pq/wait.hpp>

#include <memory>
#include <thread>

#include <libpq-fe.h>

namespace isorow::inline v1::detail {

#if defined(LIBPQ_HAS_ASYNC_CANCEL)

/// Asks the server to cancel what the connection runs, and waits until the request is delivered. What libpq says of a failure is left:
/// whoever asks finds out by whether the statement ends.
inline void cancel(PGconn* connection, limits const& limits) {
    struct finish {
        void operator()(PGcancelConn* owned) const noexcept { PQcancelFinish(owned); }
    };
    std::unique_ptr<PGcancelConn, finish> const request(PQcancelCreate(connection));
    if (!request || PQcancelStart(request.get()) == 0) return;
    drive(
        [&] {
            switch (PQcancelPoll(request.get())) {
                case PGRES_POLLING_READING:
                    return interest::read;
                case PGRES_POLLING_WRITING:
                    return interest::write;
                default:
                    return interest::none;
            }
        },
        [&] { return PQcancelSocket(request.get()); }, limits, "cancelling a statement");
}

#else

/// Before libpq 17 the request blocks, so it is sent on a thread of its own.
inline void cancel(PGconn* connection, limits const&) {
    auto* const request = PQgetCancel(connection);
    if (request == nullptr) return;
    std::thread([request] {
        char failure[256];
        static_cast<void>(PQcancel(request, failure, sizeof failure));
        PQfreeCancel(request);
    }).detach();
}

#endif

}  // namespace isorow::inline v1::detail
