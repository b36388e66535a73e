package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import dev.outbox.OutboxException;
import dev.outbox.StoreException;
import dev.outbox.store.support.CauseChain;
import java.util.Locale;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Says what a failure of Redis, or of the way to it, means. */
final class StoreErrors {
    private static final Pattern ARGUMENTS = Pattern.compile(",? with args beginning with.*", Pattern.DOTALL);

    private StoreErrors() {}

    /** A failure while a store is being opened: what is a replica then is the wrong server. */
    static OutboxException atOpening(String doing, RuntimeException e) {
        if (isReadOnly(e)) {
            return new ConfigurationException(
                    doing + " failed: " + describe(e)
                            + ". This server is a replica: give the master's address, or those of the sentinels with"
                            + " ?sentinel=<name of the master>.",
                    e);
        }
        return of(doing, e);
    }

    /** A failure while the store is at work: trying again later is reasonable, unless the set-up is wrong. */
    static OutboxException of(String doing, RuntimeException e) {
        if (e instanceof OutboxException ours) {
            return ours;
        }
        if (isReadOnly(e)) {
            // A master that was demoted; its address, or a sentinel, leads to the new one sooner or later.
            return new StoreException(
                    doing
                            + " failed: the server is a replica now, as during a failover, and new connections have led to"
                            + " no master yet. It is tried again. " + describe(e),
                    e);
        }
        String text = doing + " failed: " + describe(e);
        if (doing.contains(RedisUrl.TLS) && text.contains("timed out")) {
            text += ". If the server does not speak TLS on this port, use redis:// or its TLS port";
        }
        String advice = advice(e);
        return advice == null ? new StoreException(text, e) : new ConfigurationException(text + ". " + advice, e);
    }

    /** The texts of a failure and its causes, those that say something new. */
    static String describe(Throwable failure) {
        StringBuilder text = new StringBuilder(text(failure));
        Throwable cause = failure.getCause();
        for (int depth = 0; cause != null && depth < 5; depth++) {
            String more = text(cause);
            if (text.indexOf(more) < 0) {
                text.append("; caused by ").append(more);
            }
            cause = cause.getCause();
        }
        for (Throwable suppressed : failure.getSuppressed()) {
            text.append("; ").append(text(suppressed));
        }
        return text.toString();
    }

    /** A server that does not know a command repeats its arguments, and those may be a password or a message. */
    static String text(Throwable failure) {
        return withoutArguments(String.valueOf(failure.getMessage()));
    }

    /** As {@link #text}, of what a script says. */
    static String withoutArguments(String text) {
        return ARGUMENTS.matcher(text).replaceAll("");
    }

    /** Why a server carried out nothing of a transaction. */
    static String ofTransaction(RuntimeException e) {
        String text = describe(e);
        if (text.contains("CROSSSLOT")) {
            return text + " All keys of a transaction must be in one slot: give yours the hash tag of the outbox.";
        }
        if (text.contains("MOVED ")) {
            return text
                    + " The slot of the outbox is on another server: make the transaction from a connection to the slot"
                    + " of its hash tag, after the client has learnt where that is.";
        }
        return text;
    }

    /** What to change in the set-up, or null if there is nothing wrong with it. */
    private static @Nullable String advice(Throwable failure) {
        for (Throwable e : CauseChain.of(failure)) {
            String text = String.valueOf(e.getMessage());
            String lower = text.toLowerCase(Locale.ROOT);
            if (text.startsWith("WRONGPASS") || text.startsWith("NOAUTH") || lower.contains("invalid password")) {
                return "Give the user and password that the server expects, in the URL or as the options user and"
                        + " password.";
            }
            if (lower.contains("without any password configured")) {
                return "The server wants no password: leave it out.";
            }
            if (text.startsWith("NOPERM") || lower.contains("acl failure") || lower.contains("no permissions to")) {
                return "Allow it to the user, with ACL SETUSER; docs/REDIS.md has the list of what the outbox needs.";
            }
            if (e instanceof SSLException && lower.contains("unrecognized ssl message")) {
                return "The server does not speak TLS on this port: use redis:// or its TLS port.";
            }
            if (e instanceof SSLException || lower.contains("pkix")) {
                return "TLS could not be agreed upon. The server's certificate must be trusted by this JVM"
                        + " (javax.net.ssl.trustStore) and be for the host in the URL.";
            }
        }
        return null;
    }

    private static boolean isReadOnly(Throwable failure) {
        for (Throwable e : CauseChain.of(failure)) {
            if (Trouble.code(e).equals("READONLY")) {
                return true;
            }
        }
        return false;
    }

    static boolean isConnectionLost(RuntimeException e) {
        return e instanceof JedisConnectionException;
    }
}
