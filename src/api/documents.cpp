#include "api/nouns.hpp"
#include "api/openapi.hpp"
#include "base/embedded.hpp"

#include <algorithm>

namespace mp::api {
namespace {

constexpr std::string_view page_begin = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MarchProxy Manager API</title>
<link rel="icon" href="/assets/favicon-32x32.png">
)";

constexpr std::string_view page_end = R"(</body>
</html>
)";

constexpr std::string_view swagger_rest = R"(<link rel="stylesheet" href="/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/assets/swagger-ui-bundle.js"></script>
<script src="/assets/swagger-ui-standalone-preset.js"></script>
<script src="/assets/docs.js"></script>
)";

constexpr std::string_view swagger_start = R"(window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
});
)";

constexpr std::string_view redoc_rest = R"(</head>
<body>
<div id="redoc"></div>
<script src="/assets/redoc.standalone.js"></script>
<script src="/assets/reference.js"></script>
)";

constexpr std::string_view redoc_start =
    R"(Redoc.init("/openapi.json", {disableSearch: false, hideLoading: true}, document.getElementById("redoc"));
)";

// The pages load nothing from elsewhere, and nothing else may load into them.
void protect(Call& call) {
  call.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
      "worker-src 'self' blob:; frame-ancestors 'none'");
  call.headers.emplace_back("X-Content-Type-Options", "nosniff");
}

// `rest`: the rest of the head, and the body without its end.
Document page(Call& call, std::string_view rest) {
  protect(call);
  return {"text/html; charset=utf-8", std::string(page_begin).append(rest).append(page_end)};
}

std::string_view media_type(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".png")) return "image/png";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

Document asset(Call& call, FileName file) {
  const std::string& name = file.value;
  call.headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (name == "docs.js") return {"text/javascript; charset=utf-8", std::string(swagger_start)};
  if (name == "reference.js") return {"text/javascript; charset=utf-8", std::string(redoc_start)};
  const auto files = web_assets();
  const auto found = std::ranges::find(files, name, &EmbeddedFile::name);
  if (found == files.end()) throw Error(Code::NotFound, "");
  call.headers.emplace_back("Content-Encoding", "gzip");
  call.headers.emplace_back("Cache-Control", "public, max-age=86400");
  return {std::string(media_type(name)), std::string(found->bytes)};
}

}  // namespace

void documents(Endpoints& endpoints) {
  constexpr const char* document_example =
      R"({"openapi": "3.0.3", "info": {"title": "MarchProxy Manager", "version": "1.0.0"},
          "paths": {}})";
  const auto add = [&](std::string_view id, std::string_view call, std::string_view summary,
                       std::string type, Document (*handler)(Call&)) {
    Declaration declaration{.id = id,
                            .call = call,
                            .summary = summary,
                            .needs = Needs::Nothing,
                            .rate = Rate::Unlimited,
                            .example = type == "text/html" ? "" : document_example};
    if (type == "text/html")
      declaration.headers = {"Content-Security-Policy", "X-Content-Type-Options"};
    endpoints.add_document(std::move(declaration), std::move(type), handler);
  };
  add("openapi_json", "GET ^/openapi.json", "This API as an OpenAPI 3.0 document, JSON.",
      "application/json", [](Call&) { return Document{"application/json", openapi_json()}; });
  add("openapi_yaml", "GET ^/openapi.yaml", "This API as an OpenAPI 3.0 document, YAML.",
      "application/yaml", [](Call&) { return Document{"application/yaml", openapi_yaml()}; });
  add("docs", "GET ^/docs", "This API in Swagger UI.", "text/html",
      [](Call& call) { return page(call, swagger_rest); });
  add("redoc", "GET ^/redoc", "This API in ReDoc.", "text/html",
      [](Call& call) { return page(call, redoc_rest); });
  endpoints.add_document(
      {.id = "asset",
       .call = "GET ^/assets/{name}",
       .summary = "A file of the pages.",
       .needs = Needs::Nothing,
       .rate = Rate::Unlimited,
       .errors = {Code::NotFound},
       .headers = {"X-Content-Type-Options", "Cache-Control", "Content-Encoding"}},
      "text/javascript, text/css, text/html, image/png, image/svg+xml", asset);
}

}  // namespace mp::api
