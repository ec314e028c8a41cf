// Starts the viewer of the API's document, which is vendored and asks nobody else for anything.
'use strict';

const place = document.getElementById('viewer');
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.url,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  // The base layout brings no bar for other documents.
  layout: 'BaseLayout',
});
