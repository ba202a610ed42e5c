-- What was tried so far. A module lives as long as the network; a hook script anew for each event.
return {}
