package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.ConfigurationException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Parameters of URLs that end in {@code ?name=value&name=value}. */
public final class UrlQuery {
    private UrlQuery() {}

    /** The value of a parameter, null if it is not in there, for drivers that decode it: a + is a blank. */
    static @Nullable String parameter(String name, String url) {
        String value = verbatim(name, url);
        return value == null ? null : decoded(name, value);
    }

    /** The same for drivers that take it as it stands. */
    static @Nullable String verbatim(String name, String url) {
        return parameters(url)
                .filter(parameter -> parameter.startsWith(name + "="))
                .map(parameter -> parameter.substring(name.length() + 1))
                .findFirst()
                .orElse(null);
    }

    private static String decoded(String name, String value) {
        try {
            return URLDecoder.decode(value, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // it shows what it cannot decode, which is secret
            throw new ConfigurationException("The parameter " + name
                    + " of the URL has a % that is no escape: write %25" + " for it, or use the option " + name + ".");
        }
    }

    /** The URL without a parameter. */
    static String without(String name, String url) {
        String rest = parameters(url)
                .filter(parameter -> !parameter.startsWith(name + "="))
                .collect(Collectors.joining("&"));
        int query = url.indexOf('?');
        return (query < 0 ? url : url.substring(0, query)) + (rest.isEmpty() ? "" : "?" + rest);
    }

    private static Stream<String> parameters(String url) {
        int query = url.indexOf('?');
        return query < 0
                ? Stream.empty()
                : Arrays.stream(url.substring(query + 1).split("&"));
    }
}
