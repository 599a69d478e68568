# isorow_embed_sql(<target> <file> [NAME <variable>])
#
# Makes a header of a file of SQL, for `isorow::check_conforms` and its kind: `#include <schema.sql.hpp>` brings
# `inline constexpr char schema_sql[]`, the file's text. The header is made anew when the file changes.
function(isorow_embed_sql target file)
    cmake_parse_arguments(PARSE_ARGV 2 embed "" "NAME" "")
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    cmake_path(GET file FILENAME file_name)
    if(NOT embed_NAME)
        string(MAKE_C_IDENTIFIER ${file_name} embed_NAME)
    endif()
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded_sql/${target})
    set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/embed_sql_file.cmake)
    add_custom_command(
        OUTPUT ${folder}/${file_name}.hpp
        COMMAND ${CMAKE_COMMAND} -DFILE=${file} -DHEADER=${folder}/${file_name}.hpp -DNAME=${embed_NAME} -P ${script}
        DEPENDS ${file} ${script}
        VERBATIM)
    target_sources(${target} PRIVATE ${folder}/${file_name}.hpp)
    target_include_directories(${target} PRIVATE ${folder})
endfunction()
