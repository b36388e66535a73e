package dev.outbox.store.jooq;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Parameters of URLs that end in {@code ?name=value&name=value}. */
final class UrlQuery {
    private UrlQuery() {}

    /** The value of a parameter, null if it is not in there. */
    static @Nullable String parameter(String name, String url) {
        return parameters(url)
                .filter(parameter -> parameter.startsWith(name + "="))
                .map(parameter -> URLDecoder.decode(parameter.substring(name.length() + 1), StandardCharsets.UTF_8))
                .findFirst()
                .orElse(null);
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
