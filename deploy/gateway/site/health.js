// Says of each service whether it answers. Without this script the page still lists them.
for (const place of document.querySelectorAll("[data-health]")) {
  fetch(`/health/${place.dataset.health}`)
    .then((answer) => (place.textContent = answer.ok ? "ready" : "not ready"))
    .catch(() => (place.textContent = "does not answer"));
}
