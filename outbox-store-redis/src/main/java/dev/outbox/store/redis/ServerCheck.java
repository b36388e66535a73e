package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import dev.outbox.internal.Log;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Looks at the servers of an outbox when it is opened, and refuses or warns of what would lose messages. Some of it may
 * change later, also because another server becomes the master. Safe for use by several threads.
 */
final class ServerCheck {
    private static final Log LOG = Log.of(ServerCheck.class);
    private static final int LEAST_MAJOR = 6;
    private static final int LEAST_MINOR = 2;

    private final RetryingClient client;
    private final boolean cluster;

    /** Those of which it was said that a crash loses what was acknowledged. */
    private final Set<KeySpace> forgetful = ConcurrentHashMap.newKeySet();

    ServerCheck(RetryingClient client, boolean cluster) {
        this.client = client;
        this.cluster = cluster;
    }

    void run(KeyNames keyNames) {
        keyNames.keySpaces().forEach(this::check);
    }

    /**
     * What has changed, with what to do, as a part of a sentence; null if nothing that matters has. Whether a server is
     * the master is not asked: the commands find out, and look for another. Ends at the first server that does not
     * answer, because it may take long to find that out; in a minute it may begin at another.
     *
     * @throws JedisException if a server does not answer, which is no answer: what was wrong with it may be so still
     */
    @Nullable
    String unfit(KeyNames keyNames) {
        List<KeySpace> keySpaces = new ArrayList<>(keyNames.keySpaces());
        Collections.shuffle(keySpaces);
        for (KeySpace keySpace : keySpaces) {
            Map<String, String> settings = settings(keySpace);
            if (settings == null) {
                continue;
            }
            String unfit = unfitOf(settings);
            if (unfit != null) {
                return unfit;
            }
            warn(keySpace, settings);
        }
        return null;
    }

    private void check(KeySpace keySpace) {
        Map<String, String> settings = settings(keySpace);
        if (settings == null) {
            LOG.warn("[OUTBOX-401] This user may not ask the server for INFO, so its settings are not checked: it must"
                    + " have maxmemory-policy noeviction, and appendonly yes to keep what it acknowledged");
        } else {
            checkSettings(settings);
            warn(keySpace, settings);
        }
        Rehearsal.run(client, keySpace);
    }

    /** Null if the user may not ask. */
    private @Nullable Map<String, String> settings(KeySpace keySpace) {
        Object reply = client.call(keySpace, Command.of(Protocol.Command.INFO));
        if (reply instanceof JedisDataException e) {
            if (!String.valueOf(e.getMessage()).startsWith("NOPERM")) {
                throw e;
            }
            return null;
        }
        return info(Reply.text(reply));
    }

    void checkSettings(Map<String, String> info) {
        if (mode(info).equals("sentinel")) {
            throw new ConfigurationException("This is a sentinel, which knows where the master is: open"
                    + " redis://<sentinels>?sentinel=<name of the master>.");
        }
        Boolean ofCluster = isOfCluster(info);
        if (ofCluster != null && ofCluster != cluster) {
            throw new ConfigurationException(
                    cluster
                            ? "The server is no node of a cluster: open it by a URL with one host and without"
                                    + " cluster=true, or over a RedisClient."
                            : "The server is a node of a cluster: open it by a URL with several of its nodes, or with"
                                    + " ?cluster=true, or over a RedisClusterClient.");
        }
        requireVersion(info.get("redis_version"));
        if (Set.of("slave", "replica").contains(info.getOrDefault("role", "master"))) {
            throw new ConfigurationException("The server is a replica, which cannot be written to: open the master, or"
                    + " sentinels, which know where it is: redis://<sentinels>?sentinel=<name of the master>.");
        }
        String unfit = unfitOf(info);
        if (unfit != null) {
            throw new ConfigurationException("Opening the outbox failed: " + unfit + ".");
        }
    }

    private static @Nullable String unfitOf(Map<String, String> info) {
        String policy = info.getOrDefault("maxmemory_policy", "noeviction");
        return policy.startsWith("allkeys-")
                ? "the server has maxmemory-policy " + policy
                        + ", which deletes messages when memory is full: set noeviction, or a volatile- policy, which"
                        + " leaves the outbox alone"
                : null;
    }

    /** Once, and again after it was otherwise. */
    private void warn(KeySpace keySpace, Map<String, String> info) {
        if (!info.getOrDefault("aof_enabled", "1").equals("0")) {
            forgetful.remove(keySpace);
        } else if (forgetful.add(keySpace)) {
            LOG.warn("[OUTBOX-402] The server has appendonly no: if it dies, what was acknowledged since its last"
                    + " snapshot is lost, messages included. Set appendonly yes, and appendfsync always to survive a"
                    + " power cut; see docs/REDIS.md");
        }
    }

    /**
     * Valkey calls it by another name. What a server does not say is no value: then the commands that are tried decide.
     */
    private static String mode(Map<String, String> info) {
        return info.getOrDefault("redis_mode", info.getOrDefault("server_mode", ""));
    }

    private static @Nullable Boolean isOfCluster(Map<String, String> info) {
        String enabled = info.get("cluster_enabled");
        if (enabled != null) {
            return enabled.equals("1");
        }
        return mode(info).isEmpty() ? null : mode(info).equals("cluster");
    }

    private static void requireVersion(@Nullable String version) {
        if (version == null) {
            return; // something that speaks like Redis; its commands are tried below
        }
        String[] parts = version.split("\\.", -1);
        try {
            int major = Integer.parseInt(parts[0]);
            int minor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
            if (major < LEAST_MAJOR || major == LEAST_MAJOR && minor < LEAST_MINOR) {
                throw new ConfigurationException("The server is Redis " + version + "; the outbox needs " + LEAST_MAJOR
                        + "." + LEAST_MINOR + " or newer.");
            }
        } catch (NumberFormatException e) {
            LOG.debug("Not a version that can be compared: {}", version);
        }
    }

    static Map<String, String> info(String text) {
        Map<String, String> info = new HashMap<>();
        text.lines().forEach(line -> {
            int colon = line.indexOf(':');
            if (colon > 0) {
                info.put(line.substring(0, colon), line.substring(colon + 1).trim());
            }
        });
        return info;
    }
}
