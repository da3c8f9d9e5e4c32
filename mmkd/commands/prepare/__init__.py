"""Make MMAction2 lists from the official files of a data set and a user's videos."""
