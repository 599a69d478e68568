// expected: isorow_a_statement_mixes_two_styles_of_parameters
#include <isorow/query/sql_text.hpp>

#include <string_view>

inline std::string_view sent(isorow::sql_text const& sql) { return sql.text(); }

#ifdef WRONG
inline auto const text = sent("SELECT * FROM t WHERE a = %s AND b = $1");
#else
inline auto const text = sent("SELECT * FROM t WHERE a = %s AND b = %s");
#endif
