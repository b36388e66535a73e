package dev.outbox.spi;

/** Makes text fit for logs and exceptions. */
public final class Redacted {
    private Redacted() {}

    /**
     * A URL without its user, password and parameters, any of which may be a secret: {@code
     * postgresql://app:pw@db/x?ssl=true} becomes {@code postgresql://db/x}. Where it cannot tell what is secret, it
     * shows the scheme alone.
     */
    public static String url(String url) {
        int parameters = firstOf(url, "?;#");
        String base = url.substring(0, parameters);
        int authority = base.indexOf("//");
        int lastAt = url.lastIndexOf('@');
        // Some drivers take user and password before the host, or as name=value anywhere; and a password may contain
        // any
        // of these characters unescaped, so that what looks like a parameter is part of it.
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
