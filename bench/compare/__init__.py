"""Other servers, and other versions of the service, that the service is compared with."""
