#pragma once

#include <isorow/error/text.hpp>
#include <isorow/error/unsupported.hpp>
#include <isorow/pq/connection.hpp>
#include <isorow/pq/observer.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

[[nodiscard]] inline char lower(char character) noexcept {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character | 0x20) : character;
}

/// Whether SQL has a word or phrase, in any case.
[[nodiscard]] inline bool has_phrase(std::string_view sql, std::string_view phrase) {
    auto const same = [](char left, char right) { return lower(left) == lower(right); };
    return std::search(sql.begin(), sql.end(), phrase.begin(), phrase.end(), same) != sql.end();
}

/// What of a session a statement asks for that lives longer than a transaction; nothing where it asks for none.
[[nodiscard]] inline std::string_view session_state_in(std::string_view sql) {
    std::string first(first_word(sql));
    std::transform(first.begin(), first.end(), first.begin(), &lower);
    if (first == "listen" || first == "unlisten") return "LISTEN";
    if (first == "set" && !has_phrase(sql, "set local") && !has_phrase(sql, "set transaction") && !has_phrase(sql, "set constraints"))
        return "a setting of the session (SET LOCAL in a transaction is for one transaction)";
    if (first == "create" && (has_phrase(sql, "create temp") || has_phrase(sql, "create local temp")) && !has_phrase(sql, "on commit drop"))
        return "a temporary table of the session (in a transaction ON COMMIT DROP makes one for it)";
    if (first == "prepare" && !has_phrase(sql, "prepare transaction")) return "PREPARE";
    if (first == "declare" && has_phrase(sql, "with hold")) return "a cursor WITH HOLD";
    if (has_phrase(sql, "pg_advisory_lock") || has_phrase(sql, "pg_try_advisory_lock"))
        return "an advisory lock of the session (pg_advisory_xact_lock is for one transaction)";
    return {};
}

/// Behind a pooler that gives each transaction another connection of the server, what is left in a session is found by somebody else.
inline void refuse_session_state(connection const& connection, std::string_view sql) {
    if (auto const state = session_state_in(sql); !state.empty())
        throw unsupported(
            state, text("the pooler in transaction mode at {}", connection.endpoint()),
            text("it needs a session of its own. Connect to the server itself, or say connection_options.pooler = pooler::none "
                 "where sessions are kept; in: {}",
                 sql));
}
inline void require_no_session_state(connection const& connection, std::string_view sql) {
    if (connection.is_pooled()) [[unlikely]]
        refuse_session_state(connection, sql);
}

}  // namespace isorow::inline v1::detail
