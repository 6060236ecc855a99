# Library `mp_web_assets`: the pages' third-party files (scripts/fetch web) and the files of web/,
# compressed, inside the program. The files of web/ are named "ui/<path>".

set(folder ${CMAKE_SOURCE_DIR}/build/third_party/web)
set(names favicon-32x32.png redoc.standalone.js swagger-ui-bundle.js
          swagger-ui-standalone-preset.js swagger-ui.css)
set(asset_files "")
set(fetched "")
foreach(name ${names})
  list(APPEND asset_files ${name} ${folder}/${name}.gz)
  list(APPEND fetched ${folder}/${name}.gz)
endforeach()
add_custom_command(
  OUTPUT ${fetched}
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/fetch web
  COMMAND ${CMAKE_COMMAND} -E touch ${fetched}
  DEPENDS ${CMAKE_SOURCE_DIR}/third_party/checksums.txt
  COMMENT "Fetching the documentation pages' files"
  USES_TERMINAL)

file(GLOB_RECURSE pages CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/web
     ${CMAKE_SOURCE_DIR}/web/*.html ${CMAKE_SOURCE_DIR}/web/*.css ${CMAKE_SOURCE_DIR}/web/*.js
     ${CMAKE_SOURCE_DIR}/web/*.svg)
foreach(page ${pages})
  set(compressed ${CMAKE_BINARY_DIR}/generated/ui/${page}.gz)
  cmake_path(GET compressed PARENT_PATH parent)
  file(MAKE_DIRECTORY ${parent})
  add_custom_command(OUTPUT ${compressed}
                     COMMAND gzip -9n < ${CMAKE_SOURCE_DIR}/web/${page} > ${compressed}
                     DEPENDS ${CMAKE_SOURCE_DIR}/web/${page} VERBATIM)
  list(APPEND asset_files ui/${page} ${compressed})
endforeach()

mp_embed(mp_web_assets web_assets FILES ${asset_files})
