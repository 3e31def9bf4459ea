#!/bin/sh
# Starts a program of PostgreSQL. `postgres` gets a database first, where $PGDATA has none: the variables are those of upstream's image.
# https://github.com/docker-library/docs/blob/master/postgres/README.md
# Unlike that, it must be started as the user whose data it is, and runs no files of /docker-entrypoint-initdb.d.
set -eu

export PGDATA="${PGDATA:-/var/lib/postgresql/data}"
user="${POSTGRES_USER:-postgres}"
database="${POSTGRES_DB:-$user}"

create() {
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "The database needs a password: set POSTGRES_PASSWORD." >&2
        exit 1
    fi
    partial="$PGDATA/.partial"
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    if [ -e "$partial" ]; then
        # A creation was cut short; nothing else leaves this.
        rm -rf "$partial" "${PGDATA:?}"/*
    fi
    password="$(mktemp)"
    printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
    initdb --pgdata="$partial" --username="$user" --pwfile="$password" --encoding=UTF8 --locale=C \
        --auth-local=trust --auth-host=scram-sha-256
    rm "$password"
    # The image has no LLVM.
    printf "listen_addresses = '*'\njit = off\n" >>"$partial/postgresql.conf"
    printf 'host all all all scram-sha-256\n' >>"$partial/pg_hba.conf"
    if [ "$database" != postgres ]; then
        # On a socket of its own, which nobody else has heard of.
        postgres -D "$partial" -c listen_addresses= -k "$partial" &
        until pg_isready --quiet --host="$partial" --username="$user" --dbname=postgres; do
            kill -0 "$!"
            sleep 0.1
        done
        printf 'CREATE DATABASE :"name";\n' |
            psql --quiet --no-psqlrc --host="$partial" --username="$user" --dbname=postgres \
                --set=ON_ERROR_STOP=1 --set=name="$database"
        kill -INT "$!"
        wait "$!"
    fi
    # PG_VERSION is last: with it the database is whole.
    for entry in "$partial"/*; do
        [ "${entry##*/}" = PG_VERSION ] || mv "$entry" "$PGDATA"
    done
    mv "$partial/PG_VERSION" "$PGDATA"
    rmdir "$partial"
}

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    create
fi
exec "$@"
