// Makes forms quicker. Every page works without it.
