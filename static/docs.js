// Starts the viewer of the API's document. The viewer is vendored and makes no requests to other
// hosts.
'use strict';

const place = document.getElementById('viewer');
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.url,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  // The base layout has no bar for opening other documents.
  layout: 'BaseLayout',
});
