# mp_embed(<target> <function> FILES <name> <path> ...)
# A static library that carries files inside the program: it defines
# `std::span<const mp::EmbeddedFile> mp::<function>()`, declared in src/base/embedded.hpp.
# The bytes are included by the assembler, so size costs no compile time.
function(mp_embed target function)
  cmake_parse_arguments(ARG "" "" "FILES" ${ARGN})
  set(source ${CMAKE_BINARY_DIR}/generated/${target}.cpp)
  set(number 0)
  set(paths "")
  set(bytes "")
  set(declarations "")
  set(entries "")
  while(ARG_FILES)
    list(POP_FRONT ARG_FILES name path)
    set(symbol ${target}_${number})
    string(APPEND bytes
           "asm(\".global ${symbol}_begin\\n${symbol}_begin:\\n.incbin \\\"${path}\\\"\\n\"\n"
           "    \".global ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n\");\n")
    string(APPEND declarations "extern const char ${symbol}_begin[];\n"
           "extern const char ${symbol}_end[];\n")
    string(APPEND entries "      EmbeddedFile{\"${name}\", "
           "{${symbol}_begin, static_cast<std::size_t>(${symbol}_end - ${symbol}_begin)}},\n")
    list(APPEND paths ${path})
    math(EXPR number "${number} + 1")
  endwhile()
  string(CONCAT text
      "#include \"base/embedded.hpp\"\n\n#include <array>\n\nasm(\".section .rodata\\n\");\n${bytes}"
      "asm(\".text\\n\");\n\nextern \"C\" {\n${declarations}}\n\nnamespace mp {\n\n"
      "std::span<const EmbeddedFile> ${function}() {\n"
      "  static const std::array<EmbeddedFile, ${number}> files{{\n${entries}  }};\n"
      "  return files;\n}\n\n}  // namespace mp\n")
  file(CONFIGURE OUTPUT ${source} CONTENT "${text}" @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${paths}")
  add_library(${target} STATIC ${source})
  target_link_libraries(${target} PRIVATE mp_flags)
endfunction()

# The schema's steps, in order of their names.
file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/migrations/*.sql)
set(migration_files "")
foreach(path ${migrations})
  cmake_path(GET path FILENAME name)
  list(APPEND migration_files ${name} ${path})
endforeach()
mp_embed(mp_migrations migrations FILES ${migration_files})
