#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace isorow::inline v1::records {

/// Changes a document by another: members that are null there are taken away, objects are changed in turn, all else is replaced. Source:
/// RFC 7396, "JSON Merge Patch".
inline void merge_patch(boost::json::object& document, boost::json::object const& patch) {
    for (auto const& member : patch) {
        if (member.value().is_null()) {
            document.erase(member.key());
        } else if (auto const* const inner = member.value().if_object()) {
            auto& place = document[member.key()];
            if (!place.is_object()) place.emplace_object();
            merge_patch(place.get_object(), *inner);
        } else {
            document.insert_or_assign(member.key(), member.value());
        }
    }
}

}  // namespace isorow::inline v1::records
