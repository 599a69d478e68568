#pragma once

/// @file
/// isorow with Boost.Asio: needs Boost.Asio's headers and the compiled library Boost.Context.

#include <isorow/asio/async.hpp>
#include <isorow/asio/batches.hpp>
#include <isorow/asio/events.hpp>
#include <isorow/asio/rows.hpp>
