#!/bin/sh
# postgres-init.sh - run once by the image, in a new volume: the service's database and its user, who may make roles and is no superuser.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$POSTGRES_PASSWORD" --username "${POSTGRES_USER:-postgres}" --no-password <<'SQL'
CREATE ROLE tocsin LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE tocsin OWNER tocsin;
SQL
