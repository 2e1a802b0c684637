// Swagger UI with a choice of services; /docs/?service=companies opens that one.
const services = ["companies", "notifications"];
SwaggerUIBundle({
  dom_id: "#swagger-ui",
  urls: services.map((name) => ({ name, url: `/openapi/${name}.json` })),
  "urls.primaryName": new URLSearchParams(location.search).get("service") ?? services[0],
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
});
