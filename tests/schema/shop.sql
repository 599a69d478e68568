-- A file of SQL that is embedded: with quotes " ' and \ backslashes, [brackets], ; semicolons, ${variables} and @names@.
CREATE TABLE shop.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note text DEFAULT 'a;b\[c] "d" ${e} @f@'
);
