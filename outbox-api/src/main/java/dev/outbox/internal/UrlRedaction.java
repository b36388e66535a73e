package dev.outbox.internal;

/** URLs without their secrets. */
public final class UrlRedaction {
    private UrlRedaction() {}

    /** As {@code dev.outbox.spi.Redacted} describes it. */
    public static String of(String url) {
        int parameters = firstOf(url, "?;#");
        String base = url.substring(0, parameters);
        int authority = base.indexOf("//");
        int lastAt = url.lastIndexOf('@');
        // Some drivers take user and password before the host, or as name=value anywhere. A password may contain any of
        // these characters unescaped: then what looks like a parameter is part of it.
        boolean clear = lastAt < 0 || authority >= 0 && lastAt > authority && lastAt < parameters;
        if (!clear || firstOf(base, "=(,") < base.length()) {
            return base.substring(0, firstOf(base, "/@=(,;")).replaceAll("[^:]*$", "") + "…";
        }
        return lastAt < 0 ? base : base.substring(0, authority + 2) + base.substring(lastAt + 1);
    }

    private static int firstOf(String text, String characters) {
        int i = 0;
        while (i < text.length() && characters.indexOf(text.charAt(i)) < 0) {
            i++;
        }
        return i;
    }
}
