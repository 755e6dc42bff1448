# The WASM half of valor_add_plugin(): finds a clang++ that compiles to WASM, and builds NAME.wasm with it beside the
# native library. CMake has one C++ compiler per build, so this one is called by custom commands.
cmake_policy(VERSION 3.20...3.25)

set(VALOR_WASM AUTO CACHE STRING "Plug-ins as WASM: AUTO, REQUIRED or OFF")
set_property(CACHE VALOR_WASM PROPERTY STRINGS AUTO REQUIRED OFF)

# -flto: what the SDK offers and a plug-in does not use takes no room. The stack lies below all data, so that its overflow
# is a trap and not a silent change of data.
function(valor_wasm_flags compile link)
  set(${compile} --target=wasm32-wasi -std=c++20 -fno-exceptions -fno-rtti -flto PARENT_SCOPE)
  set(${link} -mexec-model=reactor -Wl,--stack-first -Wl,-z,stack-size=262144 PARENT_SCOPE)
endfunction()

# Sets `result` to whether `compiler` makes WASM of a program with the C++ library.
function(valor_check_wasm_compiler compiler result)
  valor_wasm_flags(compile_flags link_flags)
  set(probe ${CMAKE_BINARY_DIR}/CMakeFiles/valor-wasm-probe)
  file(WRITE ${probe}.cpp "#include <string>\nint main(int count, char**) { return (int)std::string(count, 'a').size(); }\n")
  execute_process(COMMAND ${compiler} ${compile_flags} ${link_flags} ${probe}.cpp -o ${probe}.wasm
                  RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE error)
  if(NOT failed)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
    set(Valor_WASM_ERROR "${error}" PARENT_SCOPE)
  endif()
endfunction()

# Sets VALOR_WASM_CXX in the cache, or leaves it without a value.
function(valor_find_wasm_compiler)
  if(VALOR_WASM_CXX)
    valor_check_wasm_compiler(${VALOR_WASM_CXX} works)
    if(NOT works)
      message(FATAL_ERROR "VALOR_WASM_CXX is ${VALOR_WASM_CXX}, which does not compile to WASM:\n${Valor_WASM_ERROR}")
    endif()
    return()
  endif()
  set(candidates)
  set(reason)  # why the newest clang++ that is there does not do
  foreach(sdk ${WASI_SDK_PATH} $ENV{WASI_SDK_PATH})
    list(APPEND candidates ${sdk}/bin/clang++)
  endforeach()
  foreach(version RANGE 30 17 -1)
    list(APPEND candidates clang++-${version})
  endforeach()
  list(APPEND candidates clang++)
  foreach(candidate ${candidates})
    find_program(found ${candidate} NO_CACHE)
    if(found)
      valor_check_wasm_compiler(${found} works)
      if(works)
        set(VALOR_WASM_CXX ${found} CACHE FILEPATH "The clang++ that compiles plug-ins to WASM")
        return()
      endif()
      if(NOT reason)
        string(REGEX REPLACE "\n.*" "" error "${Valor_WASM_ERROR}")
        set(reason " (${found} says: ${error})")
        set(Valor_WASM_REASON "${reason}" PARENT_SCOPE)
      endif()
    endif()
    unset(found)
  endforeach()
endfunction()

if(NOT VALOR_WASM STREQUAL OFF)
  valor_find_wasm_compiler()
  if(VALOR_WASM_CXX)
    message(STATUS "Valor: plug-ins become WASM with ${VALOR_WASM_CXX}")
  else()
    string(CONCAT advice "no compiler for WASM was found${Valor_WASM_REASON}. On Debian:\n"
           "  sudo apt-get install clang-19 lld-19 wasi-libc libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 "
           "libclang-rt-19-dev-wasm32 binaryen\n"
           "Elsewhere unpack https://github.com/WebAssembly/wasi-sdk and set WASI_SDK_PATH to its folder.")
    if(VALOR_WASM STREQUAL REQUIRED)
      message(FATAL_ERROR "Valor: VALOR_WASM is REQUIRED, but ${advice}")
    endif()
    message(STATUS "Valor: plug-ins are built as native libraries only, since ${advice}")
  endif()
  find_program(VALOR_WASM_OPT wasm-opt DOC "Makes WASM modules smaller; optional")
endif()

# NAME.wasm from the sources and settings of the target NAME, in the same folder.
function(valor_add_wasm name)
  if(VALOR_WASM STREQUAL OFF OR NOT VALOR_WASM_CXX)
    return()
  endif()
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  if(DEFINED VALOR_WASM_NAMES)
    set(names ${VALOR_WASM_NAMES})
  elseif(type STREQUAL RELEASE OR type STREQUAL MINSIZEREL)
    set(names OFF)
  else()
    set(names ON)
  endif()
  if(type STREQUAL DEBUG)
    set(level -O1)
  elseif(type STREQUAL MINSIZEREL)
    set(level -Os)
  else()
    set(level -O2)
  endif()

  # What the target says, whenever it says it; the SDK's folders are among it.
  valor_wasm_flags(compile_flags link_flags)
  set(standard $<TARGET_PROPERTY:${name},CXX_STANDARD>)
  list(TRANSFORM compile_flags REPLACE "^-std=.*"
       "-std=c++$<IF:$<OR:$<STREQUAL:${standard},23>,$<STREQUAL:${standard},26>>,${standard},20>")
  set(includes $<TARGET_PROPERTY:${name},INCLUDE_DIRECTORIES>)
  set(definitions $<TARGET_PROPERTY:${name},COMPILE_DEFINITIONS>)
  get_target_property(sources ${name} SOURCES)
  get_target_property(runtime Valor::sdk VALOR_WASM_RUNTIME)
  get_target_property(folder ${name} LIBRARY_OUTPUT_DIRECTORY)
  get_target_property(output ${name} OUTPUT_NAME)
  set(module ${folder}/${output}.wasm)
  set(objects)
  foreach(source ${sources} ${runtime})
    get_filename_component(source ${source} ABSOLUTE)
    string(SHA1 hash ${source})
    string(SUBSTRING ${hash} 0 8 hash)
    get_filename_component(base ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir/wasm/${base}-${hash}.o)
    # The compiler is that of C++, which takes C only when told so.
    set(source_flags ${compile_flags})
    if(source MATCHES "\\.c$")
      list(FILTER source_flags EXCLUDE REGEX "^-std=|^-fno-rtti$")
      list(APPEND source_flags -x c)
    endif()
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir/wasm
      COMMAND ${VALOR_WASM_CXX} ${source_flags} ${level} "-I$<JOIN:${includes},;-I>"
              "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},;-D>>" -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source}
      DEPFILE ${object}.d
      COMMENT "Compiling ${base} to WASM"
      COMMAND_EXPAND_LISTS
      VERBATIM)
    list(APPEND objects ${object})
  endforeach()

  set(strip -Wl,--strip-all)
  set(keep_names)
  if(names)
    set(strip -Wl,--strip-debug)
    set(keep_names -g)
  endif()
  set(optimize)
  if(VALOR_WASM_OPT AND NOT type STREQUAL DEBUG)
    # The features that clang uses by itself; the module names them, but wasm-opt before 111 does not look.
    set(optimize COMMAND ${VALOR_WASM_OPT} ${level} ${keep_names} --enable-mutable-globals --enable-sign-ext
                 --enable-bulk-memory --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types
                 ${module} -o ${module})
  endif()
  add_custom_command(
    OUTPUT ${module}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    # Without -O: with it clang would call wasm-opt in a way that loses the names.
    COMMAND ${VALOR_WASM_CXX} ${compile_flags} ${link_flags} ${strip} ${objects}
            -o ${module}
    ${optimize}
    DEPENDS ${objects}
    COMMENT "Linking ${output}.wasm"
    VERBATIM)
  add_custom_target(${name}-wasm ALL DEPENDS ${module})
endfunction()
