// What ThreadSanitizer is told of libraries.

/// Boost.Asio before Boost 1.92 counts references down with a fence behind the count, as it may; ThreadSanitizer knows no fences, and takes
/// the last one's delete for a race with the others' counting. See chriskohlhoff/asio, issue 1760.
extern "C" char const* __tsan_default_suppressions() { return "race:boost::asio::detail::ref_count_down\n"; }

/// Suppressions are by name, and addresses are given names by binutils, which every compiler here comes with.
extern "C" char const* __tsan_default_options() { return "external_symbolizer_path=" ISOROW_ADDR2LINE; }
