package dev.outbox.store.jooq;

import java.net.InetSocketAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The host and port in a JDBC URL of a server. */
final class JdbcAddress {
    private static final Pattern URL = Pattern.compile("(jdbc:[a-z]+://)([^:/?]+):(\\d+)(.*)");

    private JdbcAddress() {}

    static InetSocketAddress endpoint(String url) {
        Matcher parts = parts(url);
        return new InetSocketAddress(parts.group(2), Integer.parseInt(parts.group(3)));
    }

    /** The same URL with the host and port of a proxy. */
    static String through(String url, InetSocketAddress proxy) {
        Matcher parts = parts(url);
        return parts.group(1) + proxy.getHostString() + ":" + proxy.getPort() + parts.group(4);
    }

    private static Matcher parts(String url) {
        Matcher parts = URL.matcher(url);
        if (!parts.matches()) {
            throw new IllegalArgumentException("no host and port where they were expected, behind jdbc:…://");
        }
        return parts;
    }
}
