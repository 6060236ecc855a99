// Counts the documents of a YAML text before it is read: the parser of yaml-cpp 0.7 finds empty
// documents for ever in some texts that are no YAML, such as ",[".
#pragma once

#include <cstddef>
#include <string>

namespace mp {

// Whether there are more documents than `most`; reads no further. Throws YAML::Exception for a text
// that does not parse as far as it is read.
bool has_more_documents(const std::string& text, std::size_t most);

}  // namespace mp
