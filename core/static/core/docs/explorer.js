"use strict";

const place = document.getElementById("explorer");
SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  displayRequestDuration: true,
  // No badge of a validator elsewhere: the description stays on this host.
  validatorUrl: null,
});
