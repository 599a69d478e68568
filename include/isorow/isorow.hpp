#pragma once

/// @file
/// The whole of isorow but its optional headers: needs Boost.PFR, xxHash's header and libpq.

#include <isorow/app/app.hpp>
#include <isorow/codec/composite.hpp>
#include <isorow/codec/row_encoder.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/pq/capabilities.hpp>
#include <isorow/pq/listener.hpp>
#include <isorow/pq/transact.hpp>
#include <isorow/query/copy.hpp>
#include <isorow/query/copy_data.hpp>
#include <isorow/query/notify.hpp>
#include <isorow/query/prepared_transactions.hpp>
#include <isorow/query/query.hpp>
#include <isorow/query/stack.hpp>
#include <isorow/query/statement.hpp>
#include <isorow/query/stream.hpp>
#include <isorow/query/upsert.hpp>
#include <isorow/query/verify.hpp>
#include <isorow/queue/work_queue.hpp>
#include <isorow/schema.hpp>
#include <isorow/schema/compatible.hpp>
#include <isorow/schema/conforms.hpp>
#include <isorow/source/changes.hpp>
#include <isorow/source/follow.hpp>
#include <isorow/source/source.hpp>
#include <isorow/target/install.hpp>
#include <isorow/target/target.hpp>
