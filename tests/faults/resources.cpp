#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/stream.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/own_server.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A small file system in memory, for root.
class small_disk {
public:
    explicit small_disk(std::size_t size) {
        auto pattern = (std::filesystem::temp_directory_path() / "isorow-disk-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for a disk");
        folder_ = pattern;
        if (::mount("tmpfs", folder_.c_str(), "tmpfs", 0, ("size=" + std::to_string(size)).c_str()) != 0)
            throw std::runtime_error("no small disk can be mounted");
        test::own_server::shell("chown postgres:postgres '" + folder_.string() + "'");
    }
    small_disk(small_disk const&) = delete;
    small_disk& operator=(small_disk const&) = delete;
    ~small_disk() {
        ::umount2(folder_.c_str(), MNT_DETACH);
        ::rmdir(folder_.c_str());
    }

    [[nodiscard]] std::string path() const { return folder_.string(); }

private:
    std::filesystem::path folder_;
};

/// Copies a gigabyte into the table `t` of a disk with less room. The error must be noticed soon after the disk is full.
void check_full(test::own_server const& server, std::size_t room, std::string const& sqlstate) {
    std::string const row = "1\t" + std::string(1000, 'x') + "\n";
    std::ptrdiff_t before = 0;
    for (int i = 0; i < test::rounds(2, 20); ++i) {
        isorow::connection connection(server.dsn(), {.timeout = 20s});
        std::size_t written = 0;
        auto const told = test::outcome_of([&] {
            isorow::copy_in copy(connection, "COPY t FROM STDIN");
            for (; written < 1024 * mebibyte; written += row.size()) copy.write(bytes(row));
            copy.finish();
        });
        INFO(told << "\nwritten: " << written / mebibyte << " MiB");
        CHECK(told.how == test::ended::by_server);
        CHECK(told.sqlstate == sqlstate);
        CHECK(written < room + 16 * mebibyte);
        CHECK(connection.is_idle());
        CHECK(test::value(connection, "SELECT count(*) FROM t") == "0");
        // The room of the rows that were refused is given free.
        test::run(connection, "TRUNCATE t");
        if (before == 0) before = test::open_descriptors();
        CHECK(test::no_leak(before));
    }
    isorow::connection connection(server.dsn(), {.timeout = 20s});
    isorow::copy_in copy(connection, "COPY t FROM STDIN");
    copy.write(bytes("1\tx\n"));
    CHECK(copy.finish() == 1);
}

/// No descriptor more than those that are open can be had while this lives.
class no_more_descriptors {
public:
    no_more_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        int const next = ::dup(0);  // the lowest that is free
        ::close(next);
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    no_more_descriptors(no_more_descriptors const&) = delete;
    no_more_descriptors& operator=(no_more_descriptors const&) = delete;
    ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

/// A sanitizer looks at the type of each object that is new to it through a pipe, for which there is no descriptor later.
void meet_errors() {
    isorow::connection connection(test::dsn(), {.timeout = 100ms});
    CHECK_FALSE(test::outcome_of([] { isorow::connection const refused("host=127.0.0.1 port=1"); }).well());
    CHECK_FALSE(test::outcome_of([] { throw std::system_error(EMFILE, std::generic_category()); }).well());
    CHECK_FALSE(test::outcome_of([&] { test::run(connection, "SELECT pg_sleep(20)"); }).well());
}

struct Huge {
    std::int64_t id;
    std::string body;
};

}  // namespace

TEST_CASE("a disk that fills during a COPY is noticed after some megabytes, as insufficient_resources 53100, and nothing stays") {
    constexpr auto room = 24 * mebibyte;
    if (::geteuid() != 0) {
        // Without root no disk can be made, but files can be kept short: the server finds the table's file too large then.
        test::own_server const server({}, "ulimit -f " + std::to_string(room / 512));
        server.sql("CREATE UNLOGGED TABLE t (id int, name text)");
        check_full(server, room, "XX000");
        return;
    }
    small_disk const disk(room);
    test::own_server const server;
    server.sql("CREATE TABLESPACE small LOCATION '" + disk.path() + "'");
    server.sql("CREATE TABLE t (id int, name text) TABLESPACE small");
    check_full(server, room, std::string(isorow::sqlstate::disk_full));
}

TEST_CASE("temporary files beyond their limit are insufficient_resources or a limit's error, and the connection goes on") {
    auto connection = test::connect();
    test::run(connection, "SET temp_file_limit = '1MB'; SET work_mem = '64kB'");
    auto const told = test::outcome_of([&] { test::run(connection, "SELECT g FROM generate_series(1, 1000000) g ORDER BY -g"); });
    INFO(told);
    CHECK(told.sqlstate == "53400");
    CHECK(connection.is_idle());
    CHECK(test::value(connection, "SELECT 7") == "7");
}

TEST_CASE("without descriptors connecting fails clearly, and works again when there are some") {
    meet_errors();
    static_cast<void>(test::connect());
    auto const before = test::open_descriptors();
    for (int i = 0; i < test::rounds(20, 200); ++i) {
        test::outcome told;
        {
            no_more_descriptors const none;
            told = test::outcome_of([&] { isorow::connection const refused(test::dsn(), {.connect_timeout = 2s}); });
        }
        INFO(told);
        CHECK(told.how == test::ended::by_refusal);
        CHECK(told.took < 2s + test::grace);
        REQUIRE(told.text.find("Too many open files") != std::string::npos);
    }
    CHECK(test::no_leak(before));
    CHECK(test::connect().is_idle());
}

TEST_CASE("without descriptors a statement with a stop token fails clearly or well, one without goes well, and both go well later") {
    meet_errors();
    auto connection = test::connect();
    auto const before = test::open_descriptors();
    for (int i = 0; i < test::rounds(20, 200); ++i) {
        std::stop_source const source;
        auto const limits = isorow::limits::within(5s, source.get_token());
        test::outcome with_token;
        test::outcome without;
        {
            no_more_descriptors const none;
            without = test::outcome_of([&] { test::run(connection, "SELECT 1"); });
            with_token = test::outcome_of([&] { isorow::execute_script(connection, "SELECT pg_sleep(0.01)", limits); });
        }
        INFO(without << "\n" << with_token);
        CHECK(without.well());
        CHECK((with_token.well() || with_token.text.find("Too many open files") != std::string::npos));
        CHECK(with_token.took < 5s + test::grace);
        if (!connection.is_open()) connection = test::connect();
        CHECK(isorow::execute_script(connection, "SELECT 1", limits).rows() == 1);
    }
    CHECK(test::no_leak(before));
}

TEST_CASE("without descriptors a pool fails clearly, and serves in full when there are some") {
    meet_errors();
    constexpr std::size_t size = 3;
    isorow::pool pool(test::dsn(), test::pool_of(size, 2s));
    {
        auto const kept = pool.acquire();
        no_more_descriptors const none;
        auto const told = test::outcome_of([&] {
            auto const more = pool.acquire();
            auto const most = pool.acquire();
        });
        INFO(told);
        // A pool that connects beforehand may have them already.
        CHECK((told.well() || told.how == test::ended::by_refusal || told.how == test::ended::by_deadline ||
               told.text.find("Too many open files") != std::string::npos));
        CHECK(told.took < 4s + test::grace);
    }
    CHECK(test::recovers(pool, size));
}

TEST_CASE("a server with too many connections is a connection_error that says so, and one that frees itself is taken") {
    test::own_server const server({"max_connections=8", "superuser_reserved_connections=0", "max_wal_senders=2"});
    std::vector<isorow::connection> all;
    test::outcome told;
    while (all.size() < 20 && told.well())
        told = test::outcome_of([&] { all.emplace_back(server.dsn(), isorow::connection_options{.connect_timeout = 5s}); });
    INFO(told);
    CHECK(told.how == test::ended::by_refusal);
    CHECK(told.text.find("too many clients") != std::string::npos);
    CHECK(told.took < 5s + test::grace);
    auto const before = test::open_descriptors();
    for (int i = 0; i < test::rounds(10, 200); ++i)
        CHECK(test::outcome_of([&] { isorow::connection const refused(server.dsn()); }).how == test::ended::by_refusal);
    CHECK(test::no_leak(before));

    // A pool that asks for more than there are uses those that it gets.
    while (all.size() > 4) all.pop_back();
    auto options = test::pool_of(8, 5s);
    isorow::pool pool(server.dsn(), options);
    CHECK(test::recovers(pool, 2));
    all.clear();
    CHECK(test::recovers(pool, 6));
}

TEST_CASE("rows of 64 MB are streamed in memory for a few of them") {
    constexpr std::int64_t count = 12;
    constexpr long row_kilobytes = 64 * 1024;
    isorow::connection connection(test::dsn(), {.timeout = 120s, .chunk_rows = 1});
    test::forget_peak();
    auto const before = test::peak_kilobytes();
    std::int64_t seen = 0;
    for (Huge const& row :
         isorow::stream<Huge>(connection, "SELECT g AS id, repeat('x', 67108864) AS body FROM generate_series(1::bigint, 12) g")) {
        CHECK(row.id == ++seen);
        CHECK(row.body.size() == 64 * mebibyte);
    }
    CHECK(seen == count);
    // libpq's buffer doubles as it grows; the result has a row, and so has the struct.
    CHECK(test::peak_kilobytes() - before < 6 * row_kilobytes + test::sanitizer_kilobytes);
    CHECK(connection.is_idle());
}

TEST_CASE("rows of 64 MB come out of a COPY in memory for a few of them") {
    constexpr long row_kilobytes = 64 * 1024;
    isorow::connection connection(test::dsn(), {.timeout = 120s});
    test::forget_peak();
    auto const before = test::peak_kilobytes();
    int seen = 0;
    isorow::copy_out copy(connection, "COPY (SELECT repeat('x', 67108864) FROM generate_series(1, 12)) TO STDOUT");
    for (auto row = copy.next(); row.data() != nullptr; row = copy.next()) {
        ++seen;
        CHECK(row.size() == 64 * mebibyte + 1);
    }
    CHECK(seen == 12);
    CHECK(test::peak_kilobytes() - before < 6 * row_kilobytes + test::sanitizer_kilobytes);
}
