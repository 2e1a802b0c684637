// Swagger UI with a choice of services; /docs/?service=companies opens that one.
// A college's own service, which this page cannot know, is found by its name: /docs/?service=seats.
const services = ["companies", "notifications"];
const asked = new URLSearchParams(location.search).get("service") ?? services[0];
if (/^[a-z][a-z0-9_]*$/.test(asked) && !services.includes(asked)) services.push(asked);
SwaggerUIBundle({
  dom_id: "#swagger-ui",
  urls: services.map((name) => ({ name, url: `/openapi/${name}.json` })),
  "urls.primaryName": asked,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
});
