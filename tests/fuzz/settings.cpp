// A file of settings.
#include "fuzz.hpp"
#include "settings/file.hpp"

#include <sys/mman.h>
#include <unistd.h>

using namespace mp;

namespace {

// A file in memory that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : descriptor_(memfd_create("settings", MFD_CLOEXEC)) {
    fuzz::promise(write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
                  "the file can be written");
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(fuzz::text_of(data, size));
  try {
    GivenValues given;
    read_settings_file(file.path(), given);
    settings_of(given);
  } catch (const Error& error) {
    fuzz::promise(std::string_view(error.what()).find('\n') == std::string_view::npos,
                  "what is wrong with a setting is one line");
  }
  return 0;
}
