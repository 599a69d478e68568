#pragma once

#include <string>

namespace isorow::inline v1 {

/// What NOTIFY sent.
struct notification {
    std::string channel;
    std::string payload;
    int sender = 0;  ///< the backend's process id
};

}  // namespace isorow::inline v1
