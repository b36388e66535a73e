package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;

/**
 * {@code redis://user:password@host:6379/0}, {@code rediss://} with TLS; with several hosts a cluster, or with {@code
 * ?sentinel=name} the sentinels that know the master of that name; {@code ?cluster=true} for a cluster known by one
 * host.
 *
 * @param sentinel name of the master, or null
 */
record RedisUrl(
        boolean tls,
        @Nullable String user,
        @Nullable String password,
        Set<HostAndPort> hosts,
        int database,
        @Nullable String sentinel,
        boolean cluster) {
    static final String PLAIN = "redis://";
    static final String TLS = "rediss://";
    private static final int PORT = 6379;
    private static final int SENTINEL_PORT = 26379;

    /** Without what may be secret. */
    @Override
    public String toString() {
        return hosts.toString();
    }

    static boolean accepts(String url) {
        return url.startsWith(PLAIN) || url.startsWith(TLS);
    }

    /** @throws ConfigurationException if it is not as above; shows nothing of it that may be secret */
    static RedisUrl parse(String url) {
        boolean tls = url.startsWith(TLS);
        String rest = url.substring((tls ? TLS : PLAIN).length());
        int at = rest.lastIndexOf('@'); // a password may have one that is not escaped
        String login = at < 0 ? "" : rest.substring(0, at);
        rest = rest.substring(at + 1);
        String query = "";
        int mark = rest.indexOf('?');
        if (mark >= 0) {
            query = rest.substring(mark + 1);
            rest = rest.substring(0, mark);
        }
        int slash = rest.indexOf('/');
        String database = slash < 0 ? "" : rest.substring(slash + 1);
        String authority = slash < 0 ? rest : rest.substring(0, slash);

        String sentinel = null;
        boolean cluster = false;
        for (String parameter : query.isEmpty() ? new String[0] : query.split("&", -1)) {
            if (parameter.startsWith("sentinel=")) {
                sentinel = decoded(parameter.substring("sentinel=".length()));
            } else if (parameter.equals("cluster=true")) {
                cluster = true;
            } else {
                throw wrong("it has a parameter that is neither sentinel=<name of the master> nor cluster=true."
                        + " Other settings are options of the store");
            }
        }
        Set<HostAndPort> hosts = new LinkedHashSet<>();
        for (String host : authority.split(",", -1)) {
            hosts.add(host(host, sentinel == null ? PORT : SENTINEL_PORT));
        }
        cluster |= hosts.size() > 1 && sentinel == null;
        if (cluster && sentinel != null) {
            throw wrong("it is either of a cluster or of sentinels");
        }
        int number = number(database);
        if (cluster && number != 0) {
            throw wrong("a cluster has no database but 0");
        }
        int colon = login.indexOf(':');
        String user = colon < 0 ? login : login.substring(0, colon);
        return new RedisUrl(
                tls,
                user.isEmpty() ? null : decoded(user),
                colon < 0 ? null : decoded(login.substring(colon + 1)),
                hosts,
                number,
                sentinel,
                cluster);
    }

    private static HostAndPort host(String text, int defaultPort) {
        int colon = text.endsWith("]") ? -1 : text.lastIndexOf(':');
        String host = colon < 0 ? text : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = defaultPort;
        try {
            port = colon < 0 ? defaultPort : Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            port = 0;
        }
        if (host.isEmpty() || port < 1 || port > 65_535) {
            throw wrong("one of its hosts is not a host and a port");
        }
        return new HostAndPort(host, port);
    }

    private static int number(String database) {
        if (database.isEmpty()) {
            return 0;
        }
        try {
            int number = Integer.parseInt(database);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw wrong("what follows the host is not the number of a database");
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // it shows what it cannot decode, which may be secret
            throw wrong("it has a % that is no escape: write %25 for it, or give user and password as options");
        }
    }

    private static ConfigurationException wrong(String why) {
        return new ConfigurationException("The URL of the outbox is wrong: " + why + ". Expected"
                + " redis://user:password@host:6379/0, with several hosts host1:6379,host2:6379 for a cluster, or"
                + " redis://host1:26379,host2:26379/0?sentinel=<name of the master>; rediss:// for TLS.");
    }
}
