#include "base/fetch.hpp"

#include "base/curl.hpp"
#include "base/error.hpp"

#include <array>
#include <new>
#include <stdexcept>

namespace mp {
namespace {

constexpr long connect_milliseconds = 3000;

struct Body {
  std::string bytes;
  std::size_t most = 0;
  bool too_large = false;
};

std::size_t take(char* bytes, std::size_t, std::size_t size, void* target) {
  auto& body = *static_cast<Body*>(target);
  body.too_large = body.too_large || size > body.most - body.bytes.size();
  if (body.too_large) return 0;
  body.bytes.append(bytes, size);
  return size;
}

int ask_whether_to_stop(void* flag, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0;
}

void set_method(CURL* easy, const FetchRequest& request) {
  if (request.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (request.method != "POST") return;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
}

void set_limits(CURL* easy, const FetchRequest& request) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_milliseconds);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // else the end waits for a slow name server
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (request.ca.empty()) return;
  curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca.c_str());
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

}  // namespace

std::string_view FetchReply::header(std::string_view name) const {
  return curl::value_of(headers, name);
}

CurlFetch::CurlFetch() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::runtime_error("libcurl cannot start");
}

FetchReply CurlFetch::ask(const FetchRequest& request) {
  const curl::Easy handle(curl_easy_init());
  if (!handle) throw std::bad_alloc();
  CURL* easy = handle.get();
  std::vector<std::string> lines{"Expect:"};
  lines.insert(lines.end(), request.headers.begin(), request.headers.end());
  const curl::List headers = curl::list_of(lines);
  Body body{.bytes = {}, .most = request.most_bytes};
  curl::Headers answered;
  std::array<char, CURL_ERROR_SIZE> text{};
  set_limits(easy, request);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text.data());
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "marchproxy-manager");
  set_method(easy, request);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, curl::take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &answered);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, ask_whether_to_stop);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &stopped_);
  const CURLcode result = curl_easy_perform(easy);
  if (stopped_) throw unavailable("The server is stopping", "");
  if (body.too_large) return {.failure = "the answer is too large"};
  if (result != CURLE_OK)
    return {.failure = text[0] != '\0' ? text.data() : curl_easy_strerror(result)};
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return {.status = static_cast<int>(status),
          .headers = std::move(answered),
          .body = std::move(body.bytes)};
}

}  // namespace mp
