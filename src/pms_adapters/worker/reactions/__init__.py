"""The reactions that come with pmscore, one module a subject; each is found by itself."""
