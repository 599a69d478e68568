#pragma once

/// @file
/// Where the events of a followed source come from: each mechanism is a feed.

#include <isorow/pq/lease.hpp>
#include <isorow/pq/pool.hpp>
#include <isorow/pq/result.hpp>
#include <isorow/source/positions.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace isorow::inline v1::detail {

/// What a batch of a feed is, beside its rows.
struct feed_batch {
    bool begins = false;        ///< all rows of the source come next
    bool ends = false;          ///< these were all
    std::string former{};       ///< the position that was saved before; empty where there was none
    saved_position position{};  ///< the position after it; without text where there is nothing to save
};

/// A consumer as a feed needs it.
struct feed_options {
    std::string consumer;
    std::size_t batch = 1000;                 ///< how many rows or changed keys at a time
    bool from_now = false;                    ///< the rows that are there now are not told
    std::optional<database_ref> positions{};  ///< where the positions are kept, if not beside the source
};

/// A connection for one step of a feed, and the limits of its statements. The deadline that `next` is given says how long to wait for
/// changes, not how long it may take to get a connection and to read them; who stops the one stops the other.
struct feed_step {
    feed_step(pool& from, isorow::limits const& waiting)
        : connection(from, isorow::limits::within(from.options().timeout, waiting.stop)),
          limits{connection->default_limits().deadline, waiting.stop} {}

    lease connection;
    isorow::limits limits;
};

/// Calls `work` until it does not fail for what may pass, with pauses that grow, as long as the limits allow; then what it throws is
/// thrown. Only for what may be done again.
template <class Work>
auto persistently(limits const& limits, Work&& work) -> decltype(work()) {
    for (std::chrono::milliseconds pause(50);; pause = std::min(2 * pause, std::chrono::milliseconds(5000))) {
        try {
            return work();
        } catch (error const& failure) {
            if (!failure.retryable() || std::chrono::steady_clock::now() + pause >= limits.deadline) throw;
        }
        pause_for(pause, limits, "following a source whose server is not there");
    }
}

/// Saves positions until it is known that they are saved. Where the connection is lost meanwhile, the position may be there already.
class position_saver {
public:
    void save(database_ref const& where, std::string const& former, saved_position const& position, limits const& limits) {
        persistently(limits, [&] {
            try {
                save_position(where, former, position);
            } catch (position_moved const&) {
                if (in_doubt_ != position.text || find_position(where, position.consumer, position.mechanism) != position.text) throw;
            } catch (error const& failure) {
                if (failure.retryable()) in_doubt_ = position.text;
                throw;
            }
        });
    }

private:
    std::string in_doubt_{};
};

/// Takes the rows of a batch.
class row_taker {
public:
    row_taker() = default;
    row_taker(row_taker const&) = delete;
    row_taker& operator=(row_taker const&) = delete;
    virtual ~row_taker() = default;

    /// `answer` has the source's columns, then whether the row is there. `of_all_rows`: they are some of all rows, none of them absent;
    /// else the next column says whether the row of the answer tells of anything. `skipped`: rows to be passed over, by their places; empty
    /// for none.
    virtual void take(connection& connection, result const& answer, bool of_all_rows, std::vector<bool> const& skipped) = 0;
    void take(connection& connection, result const& answer, bool of_all_rows) { take(connection, answer, of_all_rows, {}); }
};

/// One consumer's feed. Not thread-safe.
class event_feed {
public:
    event_feed() = default;
    event_feed(event_feed const&) = delete;
    event_feed& operator=(event_feed const&) = delete;
    virtual ~event_feed() = default;

    /// The next batch; nothing when the deadline passes before there is one.
    [[nodiscard]] virtual std::optional<feed_batch> next(limits const& limits, row_taker& rows) = 0;
    /// All rows are told next, whatever was told before.
    virtual void begin_again() = 0;
    /// Saves a batch's position where the consumer keeps it.
    virtual void save(std::string const& former, saved_position const& position, limits const& limits) = 0;
    /// It was saved there, or will be when the transaction of the consumer's is committed.
    virtual void saved(saved_position const& position, limits const& limits) = 0;
};

}  // namespace isorow::inline v1::detail
