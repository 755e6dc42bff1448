// What tests share that run inside the pinned node, because V8 lives there: their program is an addon (test-addon.cpp).
#pragma once

#include <node.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace valor::engine::testing {

struct TestSetting {
  node::MultiIsolatePlatform* platform = nullptr;
  std::string build_folder;
};
TestSetting& test_setting();

/// A folder of files that is deleted at the end.
class TestFolder {
 public:
  TestFolder() {
    char name[] = "/tmp/valor-test-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace valor::engine::testing
