#include <catch2/catch_test_macros.hpp>

#include <isorow/query/copy_data.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

using isorow::data_format;
using isorow::data_reader;
using isorow::data_writer;
using isorow::header_line;

namespace {

/// A table of users.
struct users {
    isorow::connection connection = test::connect();

    users() { isorow::execute(connection, "CREATE TEMP TABLE users (id int GENERATED ALWAYS AS IDENTITY, name text, email text)"); }

    std::int64_t put(std::string_view data, isorow::copy_options const& options = {}) {
        data_writer writer{connection, {"users", {"name", "email"}}, options};
        writer.write(data);
        return writer.finish();
    }
    std::string taken(isorow::copy_options const& options = {}) {
        std::ostringstream out;
        data_reader reader{connection, {"users", {"name", "email"}}, options};
        reader.write_to(out);
        return out.str();
    }
    std::int64_t count() { return isorow::scalar<std::int64_t>(connection, "SELECT count(*) FROM users"); }
    /// Each user as `name|email`, NULL as `~`.
    std::vector<std::string> all() {
        return isorow::query<std::string>(connection, "SELECT coalesce(name, '~') || '|' || coalesce(email, '~') FROM users ORDER BY id");
    }
};

using lines = std::vector<std::string>;

/// A file that is gone afterwards.
class scratch_file {
public:
    explicit scratch_file(std::string_view name)
        : path_(std::filesystem::temp_directory_path() / ("isorow_" + std::to_string(::getpid()) + "_" + std::string(name))) {}
    scratch_file(scratch_file const&) = delete;
    scratch_file& operator=(scratch_file const&) = delete;
    ~scratch_file() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    [[nodiscard]] std::filesystem::path const& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE_METHOD(users, "lines of text with tabs go into a table's columns", "[session]") {
    data_writer writer{connection, {"users", {"name", "email"}}};
    writer.write("Ada\tada@example.org\n");
    writer.write("Bob\t\\N\n");
    CHECK(writer.finish() == 2);
    CHECK(all() == lines{"Ada|ada@example.org", "Bob|~"});
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(users, "data may be written in pieces of any size", "[session]") {
    std::string const data = "Ada\tada@example.org\nBob\tbob@example.org\n";
    data_writer writer{connection, {"users", {"name", "email"}}};
    for (char const one : data) writer.write(std::string_view(&one, 1));
    CHECK(writer.finish() == 2);
    CHECK(all() == lines{"Ada|ada@example.org", "Bob|bob@example.org"});
}

TEST_CASE_METHOD(users, "a range of lines is written", "[session]") {
    lines const data{"Ada\ta\n", "Bob\tb\n"};
    data_writer writer{connection, {"users", {"name", "email"}}};
    writer.write(data);
    CHECK(writer.finish() == 2);
    CHECK(all() == lines{"Ada|a", "Bob|b"});
}

TEST_CASE_METHOD(users, "a stream is written and read", "[session]") {
    std::istringstream in("Ada\ta\nBob\tb\n");
    data_writer writer{connection, {"users", {"name", "email"}}};
    writer.write(in);
    CHECK(writer.finish() == 2);
    CHECK(taken() == "Ada\ta\nBob\tb\n");
}

TEST_CASE_METHOD(users, "a file is written and read, of more than one buffer", "[session]") {
    scratch_file const from("from.txt");
    scratch_file const to("to.txt");
    std::string data;
    for (int i = 0; i < 20'000; ++i) data += "user " + std::to_string(i) + "\tuser" + std::to_string(i) + "@example.org\n";
    std::ofstream(from.path(), std::ios::binary) << data;
    data_writer writer{connection, {"users", {"name", "email"}}};
    writer.write_file(from.path());
    CHECK(writer.finish() == 20'000);
    data_reader reader{connection, {"users", {"name", "email"}}};
    CHECK(reader.write_to(to.path()) == static_cast<std::int64_t>(data.size()));
    std::ostringstream read;
    read << std::ifstream(to.path(), std::ios::binary).rdbuf();
    CHECK(read.str() == data);
}

TEST_CASE_METHOD(users, "a file that cannot be read or written is an error, and the connection is usable after it", "[session]") {
    {
        data_writer writer{connection, {"users", {"name", "email"}}};
        CHECK_THROWS_MATCHES(writer.write_file("/no/such/folder/file"), isorow::usage_error, test::says("/no/such/folder/file"));
    }
    {
        data_reader reader{connection, {"users"}};
        CHECK_THROWS_MATCHES(reader.write_to(std::filesystem::path("/no/such/folder/file")), isorow::usage_error,
                             test::says("/no/such/folder/file"));
    }
    CHECK(count() == 0);
}

TEST_CASE_METHOD(users, "a folder is no file to read", "[session]") {
    data_writer writer{connection, {"users", {"name", "email"}}};
    CHECK_THROWS_AS(writer.write_file(std::filesystem::temp_directory_path()), isorow::usage_error);
}

TEST_CASE_METHOD(users, "CSV has quotes, and a header that is passed over", "[session]") {
    CHECK(put("who,where\n\"Lovelace, Ada\",\"say \"\"hi\"\"\"\nBob,\n", {.format = data_format::csv, .header = header_line::present}) ==
          2);
    CHECK(all() == lines{"Lovelace, Ada|say \"hi\"", "Bob|~"});
    CHECK(taken({.format = data_format::csv, .header = header_line::present}) ==
          "name,email\n\"Lovelace, Ada\",\"say \"\"hi\"\"\"\nBob,\n");
}

TEST_CASE_METHOD(users, "a header that must match does, or is an error", "[session]") {
    CHECK(put("name,email\nAda,a\n", {.format = data_format::csv, .header = header_line::match}) == 1);
    CHECK_THROWS_AS(put("email,name\nBob,b\n", {.format = data_format::csv, .header = header_line::match}), isorow::data_exception);
    CHECK(put("name\temail\nEve\te\n", {.header = header_line::match}) == 1);
    CHECK(all() == lines{"Ada|a", "Eve|e"});
}

TEST_CASE_METHOD(users, "delimiter, quote, escape and null are what is said, also where they have to be quoted", "[session]") {
    isorow::copy_options const options{.format = data_format::csv, .delimiter = '|', .null = "is \\N", .quote = '\'', .escape = '\\'};
    CHECK(put("'A|da'|'it\\'s'\nBob|is \\N\n", options) == 2);
    CHECK(isorow::query<std::string>(connection, "SELECT name || ' ' || coalesce(email, '~') FROM users ORDER BY id") ==
          lines{"A|da it's", "Bob ~"});
    CHECK(taken(options) == "'A|da'|'it\\'s'\nBob|is \\N\n");
}

TEST_CASE_METHOD(users, "text format takes a delimiter and a null of one's own", "[session]") {
    CHECK(put("Ada;a\nBob;none\n", {.delimiter = ';', .null = "none"}) == 2);
    CHECK(all() == lines{"Ada|a", "Bob|~"});
    CHECK(taken({.delimiter = ';', .null = "none"}) == "Ada;a\nBob;none\n");
}

TEST_CASE_METHOD(users, "force_quote quotes the columns that it names, or all of them", "[session]") {
    put("Ada\ta\n");
    CHECK(taken({.format = data_format::csv, .force_quote = {"name"}}) == "\"Ada\",a\n");
    CHECK(taken({.format = data_format::csv, .force_quote = {"*"}}) == "\"Ada\",\"a\"\n");
}

TEST_CASE_METHOD(users, "force_not_null and force_null say what an empty value is", "[session]") {
    CHECK(put("Ada,\n", {.format = data_format::csv, .force_not_null = {"email"}}) == 1);
    CHECK(put("Bob,\"\"\n", {.format = data_format::csv, .force_null = {"email"}}) == 1);
    CHECK(put("Eve,\"\"\n", {.format = data_format::csv}) == 1);
    CHECK(put("\"\",\"\"\n", {.format = data_format::csv, .force_null = {"*"}}) == 1);
    CHECK(all() == lines{"Ada|", "Bob|~", "Eve|", "~|~"});
}

TEST_CASE_METHOD(users, "a text of one's own stands for a column's default", "[session]") {
    isorow::execute(connection, "ALTER TABLE users ALTER COLUMN email SET DEFAULT 'nobody@example.org'");
    CHECK(put("Ada\t<default>\n", {.default_text = "<default>"}) == 1);
    CHECK(all() == lines{"Ada|nobody@example.org"});
}

TEST_CASE_METHOD(users, "only rows for which a condition holds are taken", "[session]") {
    CHECK(put("Ada\ta\nBob\tb\nAl\tc\n", {.where_sql = "name LIKE 'A%'"}) == 2);
    CHECK(all() == lines{"Ada|a", "Al|c"});
}

TEST_CASE_METHOD(users, "data in another encoding are converted", "[session]") {
    CHECK(put("J\xf6rg\tj\n", {.encoding = "LATIN1"}) == 1);
    CHECK(all() == lines{"Jörg|j"});
    CHECK(taken({.encoding = "LATIN1"}) == "J\xf6rg\tj\n");
}

TEST_CASE("rows whose values cannot be read are passed over where that is asked for, and told", "[session]") {
    std::vector<std::string> noticed;
    isorow::connection connection(test::dsn(),
                                  {.on_notice = [&](isorow::diagnostics const& notice) { noticed.push_back(notice.message); }});
    isorow::execute(connection, "CREATE TEMP TABLE numbers (n int)");
    data_writer writer{connection, {"numbers"}, {.ignore_errors = true, .verbose = true}};
    writer.write("1\ntwo\n3\n");
    CHECK(writer.finish() == 2);
    CHECK(isorow::scalar<std::int64_t>(connection, "SELECT sum(n) FROM numbers") == 4);
    CHECK(std::any_of(noticed.begin(), noticed.end(), [](auto const& one) { return one.find("skipping row") != std::string::npos; }));
}

TEST_CASE_METHOD(users, "without it one such row refuses them all", "[session]") {
    isorow::execute(connection, "CREATE TEMP TABLE numbers (n int)");
    data_writer writer{connection, {"numbers"}};
    writer.write("1\ntwo\n3\n");
    CHECK_THROWS_AS(writer.finish(), isorow::data_exception);
    CHECK(isorow::scalar<std::int64_t>(connection, "SELECT count(*) FROM numbers") == 0);
}

TEST_CASE_METHOD(users, "freeze is for a table that the same transaction has made", "[session]") {
    CHECK_THROWS_MATCHES(put("Ada\ta\n", {.freeze = true}), isorow::server_error, test::says("FREEZE"));
    CHECK(connection.is_idle());
    isorow::transaction work(connection);
    isorow::execute(work, "TRUNCATE users");
    CHECK(put("Ada\ta\n", {.freeze = true}) == 1);
    work.commit();
    CHECK(count() == 1);
}

TEST_CASE_METHOD(users, "a COPY that is refused before its first row leaves the connection in order", "[session]") {
    isorow::execute(connection,
                    "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$");
    isorow::execute(connection, "CREATE TRIGGER refuse BEFORE INSERT ON users EXECUTE FUNCTION pg_temp.refuse()");
    for (int i = 0; i < 20; ++i) {
        REQUIRE_THROWS_MATCHES(put("Ada\ta\n"), isorow::plpgsql_error, test::says("not today"));
        REQUIRE(connection.is_idle());
        REQUIRE(isorow::scalar<std::int32_t>(connection, "SELECT $1::int", i) == i);
    }
}

TEST_CASE_METHOD(users, "binary data go from one table to another as they are", "[session]") {
    put("Ada\ta\nBob\t\\N\n");
    isorow::execute(connection, "CREATE TEMP TABLE others (LIKE users)");
    auto target = test::connect();
    isorow::execute(target, "CREATE TEMP TABLE others (id int, name text, email text)");
    data_reader from{connection, {"users"}, {.format = data_format::binary}};
    data_writer to{target, {"others"}, {.format = data_format::binary}};
    while (auto const piece = from.next()) to.write(*piece);
    CHECK(to.finish() == 2);
    CHECK(isorow::query<std::string>(target, "SELECT name || coalesce(email, '~') FROM others ORDER BY id") == lines{"Adaa", "Bob~"});
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(users, "a query is read like a table", "[session]") {
    put("Ada\ta\nBob\tb\n");
    auto reader =
        data_reader::of_query(connection, "SELECT upper(name), 7 % 4 FROM users WHERE name LIKE 'A%'", {.format = data_format::csv});
    CHECK(reader.next() == "ADA,3\n");
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.next());
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(users, "an empty table is read as nothing", "[session]") {
    CHECK(taken().empty());
    CHECK(put("") == 0);
}

TEST_CASE_METHOD(users, "an empty line of a column is a piece of its own", "[session]") {
    auto reader = data_reader::of_query(connection, "SELECT ''");
    CHECK(reader.next() == "\n");
    CHECK_FALSE(reader.next());
}

TEST_CASE_METHOD(users, "who leaves reading early keeps a usable connection", "[session]") {
    {
        auto reader = data_reader::of_query(connection, "SELECT generate_series(1, 10000000)");
        CHECK(reader.next() == "1\n");
    }
    CHECK(connection.is_idle());
    CHECK(count() == 0);
}

TEST_CASE_METHOD(users, "what is written without finish does not stay, and the connection is usable", "[session]") {
    {
        data_writer writer{connection, {"users", {"name", "email"}}};
        writer.write("Ada\ta\n");
    }
    CHECK(connection.is_idle());
    CHECK(count() == 0);
}

TEST_CASE_METHOD(users, "data that are malformed or cut off are an error of the server, and none of them stay", "[session]") {
    CHECK_THROWS_AS(put("Ada\ta\nBob\n"), isorow::data_exception);
    CHECK_THROWS_AS(put("Ada\ta\tmore\n"), isorow::data_exception);
    CHECK_THROWS_AS(put("Ada,\"never ended\n", {.format = data_format::csv}), isorow::data_exception);
    CHECK_THROWS_AS(put("no header", {.format = data_format::binary}), isorow::data_exception);
    CHECK_THROWS_AS(put("\xff\xfe\ta\n"), isorow::server_error);
    CHECK(connection.is_idle());
    CHECK(count() == 0);
}

TEST_CASE_METHOD(users, "binary data that end in the midst of a row are an error of the server", "[session]") {
    put("Ada\ta\n");
    auto const whole = taken({.format = data_format::binary});
    for (std::size_t const kept : {std::size_t{5}, std::size_t{21}, std::size_t{26}, whole.size() - 3})
        CHECK_THROWS_AS(put(std::string_view(whole).substr(0, kept), {.format = data_format::binary}), isorow::data_exception);
    CHECK(put(whole, {.format = data_format::binary}) == 1);
    CHECK(count() == 2);
}

TEST_CASE_METHOD(users, "an error in the midst of much data is thrown with its class", "[session]") {
    std::string const good = "Ada\t" + std::string(1000, 'x') + "\n";
    data_writer writer{connection, {"users", {"name", "email"}}};
    CHECK_THROWS_AS(
        [&] {
            writer.write("too\tmany\tcolumns\n");
            for (int i = 0; i < 20'000; ++i) writer.write(good);
            writer.finish();
        }(),
        isorow::data_exception);
    CHECK(connection.is_idle());
    CHECK(count() == 0);
}

TEST_CASE_METHOD(users, "a table or a column that is not there, and options that do not go together, are errors of the server",
                 "[session]") {
    CHECK_THROWS_AS((data_writer{connection, {"no_such_table"}}), isorow::syntax_error_or_access_rule_violation);
    CHECK_THROWS_AS((data_writer{connection, {"users", {"age"}}}), isorow::syntax_error_or_access_rule_violation);
    CHECK_THROWS_AS((data_reader{connection, {"users"}, {.quote = '\''}}), isorow::server_error);
    CHECK_THROWS_AS((data_reader{connection, {"users"}, {.format = data_format::binary, .delimiter = ';'}}), isorow::server_error);
    CHECK(connection.is_idle());
}

TEST_CASE("names of schemas, tables and columns are taken as they are") {
    test::database const own;
    auto connection = test::connect(own.dsn());
    own.sql(R"(CREATE SCHEMA "My ""Schema"; CREATE TABLE "My ""Schema"."Drop; --" ("A ""b" text, c text))");
    isorow::copy_table const table{"Drop; --", {"A \"b"}, "My \"Schema"};
    data_writer writer{connection, table};
    writer.write("x\n");
    CHECK(writer.finish() == 1);
    data_reader reader{connection, table};
    CHECK(reader.next() == "x\n");
}

TEST_CASE("data go into a pool's connection, and it goes back") {
    test::database const own;
    own.sql("CREATE TABLE users (name text, email text)");
    isorow::pool pool(own.dsn(), {.min_size = 1, .max_size = 1});
    {
        data_writer writer{pool, {"users", {"name", "email"}}};
        writer.write("Ada\ta\n");
        CHECK(writer.finish() == 1);
    }
    {
        data_reader reader{pool, {"users"}};
        CHECK(reader.next() == "Ada\ta\n");
    }
    CHECK(isorow::scalar<std::int64_t>(pool, "SELECT count(*) FROM users") == 1);
}
