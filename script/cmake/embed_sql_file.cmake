# cmake -DFILE=schema.sql -DHEADER=schema.sql.hpp -DNAME=schema_sql -P embed_sql_file.cmake: what isorow_embed_sql does when a
# program is built.
file(READ ${FILE} sql)
if(sql MATCHES "\\)isorow_sql\"")
    message(FATAL_ERROR "${FILE} has the characters )isorow_sql\" which end the literal that its text would stand in")
endif()
cmake_path(GET FILE FILENAME file_name)
file(WRITE ${HEADER} "#pragma once

// The text of ${file_name}.
inline constexpr char ${NAME}[] = R\"isorow_sql(${sql})isorow_sql\";
")
