package dev.outbox.store.redis;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisMovedDataException;

/** What keeps commands from being carried out where they were sent to, or now. */
enum Trouble {
    NONE,
    /** The slot is on another server. */
    MOVED,
    /** The slot is on its way, or the server is not ready: a little later it is. */
    MOVING,
    /** The server is a replica. */
    READ_ONLY,
    UNKNOWN_SCRIPT;

    /** Before Redis 7, what goes wrong within a script is in the middle of a text of its own. */
    private static final Pattern WITHIN_A_SCRIPT = Pattern.compile(
            "^ERR Error (?:running|compiling) script\\b.*?[-: ](READONLY|CLUSTERDOWN|MASTERDOWN|LOADING|TRYAGAIN|NOREPLICAS|"
                    + "MISCONF|OOM|NOPERM|WRONGTYPE|MOVED|ASK)\\b",
            Pattern.DOTALL);

    /**
     * Of several answers, that of the first which has one. What was carried out of the others is carried out again,
     * which does no harm.
     */
    static Trouble of(List<Object> replies) {
        for (Object reply : replies) {
            if (reply instanceof JedisDataException error) {
                Trouble trouble = of(error);
                if (trouble != NONE) {
                    return trouble;
                }
            }
        }
        return NONE;
    }

    private static Trouble of(JedisDataException error) {
        if (error instanceof JedisMovedDataException) {
            return MOVED;
        }
        return switch (code(error)) {
            case "NOSCRIPT" -> UNKNOWN_SCRIPT;
            case "READONLY" -> READ_ONLY;
            case "MOVED" -> MOVED;
            case "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "BUSY" -> MOVING;
            default -> NONE;
        };
    }

    /** The word that an error begins with, as the server gave it first. */
    static String code(Throwable error) {
        String text = String.valueOf(error.getMessage());
        Matcher within = WITHIN_A_SCRIPT.matcher(text);
        if (within.find()) {
            return within.group(1);
        }
        int end = text.indexOf(' ');
        return end < 0 ? text : text.substring(0, end);
    }
}
