// What all clients that speak by libcurl share: fetch.cpp, marchctl's and the agent's.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp::curl {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

// For CURLOPT_HTTPHEADER; `lines` are "Name: value". Throws std::bad_alloc.
List list_of(std::span<const std::string> lines);

// Of an answer: names in lower case, values without the spaces around them.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the header; empty when there is none. `name` in lower case.
std::string_view value_of(const Headers& headers, std::string_view name);

// A CURLOPT_HEADERFUNCTION; CURLOPT_HEADERDATA is a Headers. Keeps the first 100 lines of the last
// answer: a new status line (after 100 Continue, or of a proxy) begins anew.
std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* headers);

// One part of a URL's path or query, percent-encoded (RFC 3986 section 2.1).
std::string url_encoded(std::string_view text);

}  // namespace mp::curl
