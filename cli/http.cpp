#include "cli/http.hpp"

#include "base/curl.hpp"

#include <array>
#include <stdexcept>

namespace mp::cli {
namespace {

constexpr std::size_t largest_answer = 64u << 20;

std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + size > largest_answer) return 0;
  body.append(bytes, size);
  return size;
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(std::string ca_file)
      : ca_file_(std::move(ca_file)), easy_(curl_easy_init()) {
    if (!easy_) throw std::runtime_error("libcurl cannot start");
  }

  HttpReply send(const HttpRequest& request) override {
    CURL* const easy = easy_.get();
    curl_easy_reset(easy);
    std::array<char, CURL_ERROR_SIZE> error{};
    HttpReply reply;
    const curl::List headers = curl::list_of(request.headers);
    prepare(request, headers.get());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error.data());
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply.body);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &reply.headers);
    const CURLcode result = curl_easy_perform(easy);
    if (result == CURLE_OK) {
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply.status);
      return reply;
    }
    reply.failure = error[0] != '\0' ? error.data() : curl_easy_strerror(result);
    return reply;
  }

 private:
  void prepare(const HttpRequest& request, curl_slist* headers) {
    CURL* const easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "marchctl");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, curl::take_header);
    if (request.method != "GET") {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
    if (ca_file_.empty()) return;
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file_.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }

  std::string ca_file_;
  curl::Easy easy_;  // keeps its connection from request to request
};

}  // namespace

std::string_view HttpReply::header(std::string_view name) const {
  return curl::value_of(headers, name);
}

std::unique_ptr<Transport> make_transport(std::string ca_file) {
  return std::make_unique<CurlTransport>(std::move(ca_file));
}

}  // namespace mp::cli
