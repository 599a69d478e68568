#pragma once

#include <isorow/source/notification.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

ISOROW_DECL std::string channel_of(notification_options const& options, std::string_view consumer, std::string_view table) {
    if (!options.channel.empty()) {
        static_cast<void>(quote_identifier(options.channel));
        if (options.channel.size() > longest_channel)
            throw usage_error(text("the channel \"{}\" has {} bytes, and names are made of it by adding to it: it has at most {}",
                                   options.channel, options.channel.size(), longest_channel));
        return options.channel;
    }
    auto name = text("{}__{}__{}", consumer, table, options.suffix);
    static_cast<void>(quote_identifier(options.suffix));
    if (name.size() > longest_channel) {
        auto const digits = hash_digits(name);
        auto length = longest_channel - digits.size() - 1;
        while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xC0U) == 0x80U) --length;  // not in the midst of a character
        name = name.substr(0, length) + "_" + digits;
    }
    static_cast<void>(quote_identifier(name));
    return name;
}

ISOROW_DECL std::vector<key_column> read_key_columns(database_ref const& where, std::int64_t relation) {
    return query<key_column>(
        where,
        "SELECT a.attname::text AS name, a.atttypid::bigint AS declared_type, pg_catalog.format_type(t.oid, -1) AS type, CASE WHEN "
        "a.attcollation <> t.typcollation THEN pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(c.collname) ELSE '' END "
        "AS collation, t.typtype = 'e' OR (t.oid = ANY (ARRAY['bool', 'bytea', '\"char\"', 'name', 'int8', 'int2', 'int4', 'oid', 'date', "
        "'time', 'timestamp', 'timestamptz', 'uuid', 'text', 'varchar']::pg_catalog.regtype[]::pg_catalog.oid[]) AND "
        "coalesce(c.collisdeterministic, true)) AS is_exact FROM pg_catalog.pg_index i CROSS JOIN "
        "pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY p(number, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = "
        "i.indrelid AND a.attnum = p.number CROSS JOIN LATERAL (WITH RECURSIVE base AS (SELECT a.atttypid AS type UNION ALL SELECT "
        "d.typbasetype FROM base JOIN pg_catalog.pg_type d ON d.oid = base.type AND d.typtype = 'd') SELECT base.type FROM base JOIN "
        "pg_catalog.pg_type d ON d.oid = base.type AND d.typtype <> 'd') b JOIN pg_catalog.pg_type t ON t.oid = b.type LEFT JOIN "
        "pg_catalog.pg_collation c ON c.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace WHERE "
        "i.indrelid = $1::bigint::oid AND i.indisprimary ORDER BY p.place",
        relation);
}

ISOROW_DECL std::vector<notifying_table> read_notifying_tables(database_ref const& where, std::int64_t relation) {
    return query<notifying_table>(
        where,
        "WITH RECURSIVE tree AS (SELECT $1::bigint::oid AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON "
        "i.inhparent = tree.oid) SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name, c.relkind = "
        "'f' AS is_foreign FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace ORDER BY c.oid",
        relation);
}

ISOROW_DECL std::string notification_objects::key_names(std::size_t count) {
    std::string names;
    for (std::size_t i = 0; i < count; ++i) names.append(i == 0 ? "" : ", ").append(key_name(i));
    return names;
}

ISOROW_DECL std::string notification_objects::form_of(std::string_view value) {
    return text("(pg_catalog.concat({}) COLLATE pg_catalog.\"C\")", value);
}

ISOROW_DECL std::string notification_objects::create_changelog_sql(std::vector<key_column> const& key) const {
    std::string columns;
    for (std::size_t i = 0; i < key.size(); ++i)
        columns += text(", {} {}{}", key_name(i), key[i].type, key[i].collation.empty() ? "" : " COLLATE " + key[i].collation);
    // The transaction comes before the number, so that it has one by the time the number is drawn: who reads relies on it.
    return text(
        "CREATE TABLE {} (transaction xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(), number bigint GENERATED ALWAYS AS "
        "IDENTITY PRIMARY KEY, kind \"char\" NOT NULL{});\n"
        "COMMENT ON TABLE {} IS 'keys of rows that were inserted (i), updated (u, their old keys as well) and deleted (d); t: all rows "
        "were truncated, or those of a partition; r: it is not known which rows were changed: all of them have to be read again';\n",
        changelog(), columns, changelog());
}

ISOROW_DECL std::string notification_objects::create_triggers_sql(made_changelog const& made, std::vector<key_column> const& key,
                                                                  std::vector<notifying_table> const& tables,
                                                                  notification_options const& options) const {
    auto sql = function_sql(made, key, options.wakes);
    for (auto const& table : tables)
        for (auto const& [event, suffix, transition] : triggers)
            sql += text(
                "CREATE TRIGGER {} AFTER {} ON {}{} FOR EACH STATEMENT EXECUTE FUNCTION {};\n"
                "ALTER TABLE ONLY {} ENABLE ALWAYS TRIGGER {};\n",
                trigger(suffix), event, table.name, transition, function(), table.name, trigger(suffix));
    if (!options.writer_role.empty()) {
        auto const role = quote_identifier(options.writer_role);
        sql += text(
            "GRANT USAGE, CREATE ON SCHEMA isorow TO {};\nGRANT INSERT ON {} TO {};\nALTER FUNCTION {} OWNER TO {};\n"
            "REVOKE CREATE ON SCHEMA isorow FROM {};\n",
            role, changelog(), role, function(), role, role);
    }
    return sql;
}

ISOROW_DECL std::string notification_objects::cleanup_sql() const {
    std::string sql;
    for (auto const& [event, suffix, transition] : triggers)
        sql += text("DROP TRIGGER IF EXISTS {} ON {};\n", trigger(suffix), table_name());
    // The triggers of partitions go with the function.
    return sql + text("DROP FUNCTION IF EXISTS {} CASCADE;\nDROP TABLE IF EXISTS {};\n", function(), changelog());
}

ISOROW_DECL std::string notification_objects::is_whole_sql() const {
    return text(
        "coalesce((SELECT c.oid = l.catalog AND pg_catalog.has_table_privilege(f.proowner, c.oid, 'INSERT') AND "
        "pg_catalog.has_schema_privilege(f.proowner, c.relnamespace, 'USAGE') AND l.relations = {} AND "
        "(l.key_columns, l.key_types) = (SELECT {}) AND 4 * pg_catalog.cardinality(l.relations) = (SELECT pg_catalog.count(*) FROM "
        "pg_catalog.pg_trigger t WHERE t.tgrelid = ANY (l.relations) AND t.tgfoid = f.oid AND t.tgenabled = 'A') FROM "
        "pg_catalog.pg_class c CROSS JOIN pg_catalog.pg_proc f WHERE c.oid = {} AND f.oid = "
        "pg_catalog.to_regprocedure({})::pg_catalog.oid), false)",
        relations_sql(), key_sql(), changelog_sql(), quote_literal(function()));
}

ISOROW_DECL std::string notification_objects::changelog_sql() const {
    return text("pg_catalog.to_regclass({})::pg_catalog.oid", quote_literal(changelog()));
}

ISOROW_DECL std::string notification_objects::relations_sql() const {
    return text(
        "ARRAY(WITH RECURSIVE tree AS (SELECT {} AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent "
        "= tree.oid) SELECT tree.oid FROM tree ORDER BY tree.oid)",
        table_sql());
}

ISOROW_DECL std::string notification_objects::key_sql() const {
    return text(
        "pg_catalog.array_agg(a.attname::text ORDER BY p.place), pg_catalog.array_agg(pg_catalog.format('%s %s', a.atttypid, "
        "a.attcollation) ORDER BY p.place) FROM pg_catalog.pg_index i CROSS JOIN pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) WITH "
        "ORDINALITY p(number, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.number WHERE "
        "i.indrelid "
        "= {} AND i.indisprimary",
        table_sql());
}

ISOROW_DECL std::string notification_objects::function_sql(made_changelog const& made, std::vector<key_column> const& key,
                                                           std::optional<bool> wakes) const {
    std::string own;
    std::string named;
    std::string forms;  // of keys that may be equal, but not the same
    std::string same;
    for (std::size_t i = 0; i < key.size(); ++i) {
        auto const name = quote_identifier(key[i].name);
        own += text("{}{}", i == 0 ? "" : ", ", name);
        named += text("{}{} AS {}", i == 0 ? "" : ", ", name, key_name(i));
        if (!key[i].is_exact) forms += text(", {} AS {}", form_of(name), form_name(i));
        same += text("{}EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = TG_RELID AND a.attname = {} AND a.atttypid = {})",
                     i == 0 ? "" : " AND ", quote_literal(key[i].name), key[i].declared_type);
    }
    auto const into = text("INSERT INTO {} (kind, {})", changelog(), key_names(key.size()));
    auto const wake = text("PERFORM pg_catalog.pg_notify({}, '');\n", quote_literal(channel_));
    auto const wakes_where =
        wakes ? std::string(*wakes ? "true" : "false") : "pg_catalog.current_setting('max_prepared_transactions') = '0'";
    auto const body = text(
        "\nBEGIN\n"
        "    IF {}::oid::regclass::text = {} AND pg_catalog.has_table_privilege({}::oid, 'INSERT') AND "
        "pg_catalog.has_schema_privilege('isorow', 'USAGE') THEN IF {} THEN\n"
        "        IF TG_OP = 'INSERT' THEN\n            {} SELECT 'i', {} FROM isorow_new;\n"
        "        ELSIF TG_OP = 'DELETE' THEN\n            {} SELECT 'd', {} FROM isorow_old;\n"
        "        ELSIF TG_OP = 'UPDATE' THEN\n            {} SELECT 'u', {} FROM (SELECT {}{} FROM isorow_new UNION SELECT {}{} FROM "
        "isorow_old) k;\n"
        "        ELSE\n"
        "            INSERT INTO {} (kind) VALUES ('t');\n"
        "        END IF;\n"
        "        IF FOUND AND {} THEN\n            {}        END IF;\n"
        "        RETURN NULL;\n"
        "    END IF; END IF;\n"
        "    BEGIN\n        INSERT INTO {} (kind) VALUES ('r');\n"
        "        IF {} THEN\n            {}        END IF;\n"
        "    EXCEPTION WHEN OTHERS THEN\n"
        "        RAISE WARNING 'changes of a table are not written to its changelog: %', SQLERRM;\n    END;\n"
        "    RETURN NULL;\n"
        "END\n",
        made.oid, quote_literal(made.name), made.oid, same, into, own, into, own, into, key_names(key.size()), named, forms, named, forms,
        changelog(), wakes_where, wake, changelog(), wakes_where, wake);
    return text(
        "CREATE FUNCTION {} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {};\n"
        "REVOKE ALL ON FUNCTION {} FROM PUBLIC;\n",
        function(), quote_literal(body), function());
}

ISOROW_DECL std::optional<channel_record> find_channel(database_ref const& where, notification_objects const& objects) {
    return query_optional<channel_record>(
        where,
        text("SELECT l.schema_name, l.table_name, l.key_columns, {} AS is_whole, coalesce({}, 0)::bigint AS changelog FROM "
             "isorow.changelogs l WHERE l.channel = $1",
             objects.is_whole_sql(), objects.changelog_sql()),
        objects.channel());
}

ISOROW_DECL void require_followable(live_table const& live, std::string_view name) {
    auto const refuse = [&](std::string_view why) { throw usage_error(text("{} {}", name, why)); };
    if (live.kind == 'v' || live.kind == 'm') refuse("is a view, which has no triggers of its own: follow the tables below it");
    if (live.kind == 'f') refuse("is a foreign table, whose changes are made elsewhere: follow it there");
    if (live.primary_key() == nullptr) refuse("has no primary key, by which changed rows would be told");
}

}  // namespace detail

ISOROW_DECL std::string create_notification(database_ref const& where, std::string_view schema, std::string_view table,
                                            std::string_view consumer, notification_options const& options) {
    detail::notification_objects const objects(detail::channel_of(options, consumer, table), std::string(schema), std::string(table));
    database_ref::use connection(where);
    auto const here = [&] { return database_ref(*connection, connection.limits()); };
    install(here());
    auto const live = require_table(here(), schema, table);
    detail::require_followable(live, objects.table_name());
    auto const is_ready = [&](std::optional<detail::channel_record> const& found) {
        if (!found) return false;
        if (found->schema_name != schema || found->table_name != table)
            throw usage_error(text("the channel \"{}\" is that of the table {}: say another one", objects.channel(),
                                   quote_identifier(found->schema_name, found->table_name)));
        return found->is_whole;
    };
    if (is_ready(detail::find_channel(here(), objects))) return objects.channel();
    transaction whole(*connection);
    detail::lock_setup(*connection);
    if (is_ready(detail::find_channel(here(), objects))) return objects.channel();  // somebody else was faster
    detail::local_setting timeout(*connection, connection.limits(), "lock_timeout", text("{}ms", options.lock_timeout.count()));
    auto const relation = static_cast<std::int64_t>(live.relation);
    auto const tables = detail::read_notifying_tables(here(), relation);
    for (auto const& one : tables)
        if (one.is_foreign)
            throw usage_error(
                text("{} has the foreign table {} below it, whose changes are made elsewhere", objects.table_name(), one.name));
    auto const key = detail::read_key_columns(here(), relation);
    execute_script(*connection, objects.cleanup_sql() + objects.create_changelog_sql(key), connection.limits());
    auto const made = query_one<detail::made_changelog>(here(), text("SELECT c.oid::bigint AS oid, pg_catalog.format('%I.%I', 'isorow', "
                                                                     "c.relname) AS name FROM pg_catalog.pg_class c WHERE c.oid = {}",
                                                                     objects.changelog_sql()));
    execute_script(*connection, objects.create_triggers_sql(made, key, tables, options), connection.limits());
    execute(
        here(),
        text("INSERT INTO isorow.changelogs AS l (channel, schema_name, table_name, relations, catalog, key_columns, key_types) SELECT $1, "
             "$2, $3, {}, {}, {} ON CONFLICT (channel) DO UPDATE SET relations = excluded.relations, catalog = excluded.catalog, "
             "key_columns = excluded.key_columns, key_types = excluded.key_types",
             objects.relations_sql(), objects.changelog_sql(), objects.key_sql()),
        objects.channel(), schema, table);
    timeout.restore();
    whole.commit();
    return objects.channel();
}

ISOROW_DECL std::string notification_cleanup_sql(std::string_view schema, std::string_view table, std::string_view channel) {
    detail::notification_objects const objects{std::string(channel), std::string(schema), std::string(table)};
    return objects.cleanup_sql() +
           text("DELETE FROM isorow.positions WHERE channel = {};\nDELETE FROM isorow.changelogs WHERE channel = {};\n",
                detail::quote_literal(channel), detail::quote_literal(channel));
}

ISOROW_DECL void remove_notification(database_ref const& where, std::string_view schema, std::string_view table, std::string_view channel) {
    database_ref::use connection(where);
    transaction whole(*connection);
    if (detail::installed_version(*connection) < tracking_version) return;
    execute_script(*connection, notification_cleanup_sql(schema, table, channel), connection.limits());
    whole.commit();
}

}  // namespace isorow::inline v1
