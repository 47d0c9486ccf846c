{ networking.hostName = "web"; vmcred.vms.v.credentials = { region.value = "north"; colour = { value = "red"; guest = "COLOUR_OF_APP"; public = true; }; }; }
