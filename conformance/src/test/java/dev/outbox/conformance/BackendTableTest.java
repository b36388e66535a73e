package dev.outbox.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The table of backends in the README says what their reports say. */
class BackendTableTest {
    private static final ReadmeTable TABLE = new ReadmeTable(
            "backends",
            "<!-- This table is made from the stores' conformance.json; see CONTRIBUTING.md. -->\n",
            "<!-- End of the table. -->\n",
            List.of(
                    "| backend | artifact | how a partition is held | conformant at | rules kept |",
                    "|---|---|---|---|---|"));

    private static final String JOOQ = "outbox-store-jooq";
    private static final String MONGO = "outbox-store-mongo";
    private static final String ROW_LOCK = "row lock of an open transaction";
    private static final String LEASE = "lease, renewed and fenced";
    private static final String ADVISORY_LOCK = "advisory lock of an open transaction";
    private static final String ASYNCHRONOUS = "PostgreSQL, asynchronous standby";
    private static final String SYNCHRONOUS = "PostgreSQL, synchronous standby";
    private static final String MARIADB = "MariaDB 10.6+";
    private static final String SENTINEL = "Redis 6.2+, Sentinel";
    private static final String CLUSTER = "Redis 6.2+, Cluster";
    private static final String MEMBERS = "MongoDB 5.0+, three members";
    private static final String SHARDS = "MongoDB 5.0+, two shards";
    private static final int HIGHEST_LEVEL = 6;

    /** Only the profile "versions" has the whole suite run on these. */
    private static final Set<String> IN_VERSIONS =
            Set.of(ASYNCHRONOUS, SYNCHRONOUS, MARIADB, SENTINEL, CLUSTER, MEMBERS, SHARDS);

    /**
     * A row.
     *
     * @param tests the class whose report is quoted
     * @param server what the tests are switched off by, or nothing
     */
    private record Backend(String name, String module, String held, String tests, String server)
            implements ReadmeTable.Row {
        @Override
        public Optional<String> notTested() throws IOException {
            Optional<String> off = ReadmeTable.switchedOff(server);
            if (off.isPresent()) {
                return off;
            }
            if (IN_VERSIONS.contains(name) && !Files.exists(ReadmeTable.fileOf(module, tests))) {
                return Optional.of("mvn verify -Pversions tests it");
            }
            JsonNode run = ReadmeTable.report(module, tests).get("run");
            return run.get("askedLevel").asInt() < HIGHEST_LEVEL
                            || !run.get("askedRules").toString().equals("[\"*\"]")
                    ? Optional.of("its tests were asked for level " + run.get("askedLevel") + " and rules "
                            + run.get("askedRules"))
                    : Optional.empty();
        }

        @Override
        public List<String> cells() throws IOException {
            JsonNode verdict = ReadmeTable.report(module, tests).get("verdict");
            int all = 0;
            for (JsonNode count : verdict.get("rules")) {
                all += count.asInt();
            }
            int refused = verdict.at("/rules/refused as declared").asInt();
            int notRun = verdict.at("/rules/not run").asInt();
            return List.of(
                    name,
                    "`" + module + "`",
                    held,
                    "level " + verdict.get("level").asInt(),
                    verdict.at("/rules/pass").asInt() + " of " + all
                            + (refused == 0 ? "" : ", " + refused + " refused as declared")
                            + (notRun == 0 ? "" : ", " + notRun + " not run"));
        }
    }

    private static final List<Backend> BACKENDS = List.of(
            new Backend("PostgreSQL", JOOQ, ADVISORY_LOCK, "dev.outbox.store.jooq.PostgresTckTest", "postgres"),
            new Backend(ASYNCHRONOUS, JOOQ, ADVISORY_LOCK, "dev.outbox.store.jooq.PostgresFailoverTckTest", "postgres"),
            new Backend(
                    SYNCHRONOUS, JOOQ, ADVISORY_LOCK, "dev.outbox.store.jooq.PostgresSynchronousTckTest", "postgres"),
            new Backend("MySQL 8.0.20+", JOOQ, ROW_LOCK, "dev.outbox.store.jooq.MySqlTckTest", "mysql"),
            new Backend(MARIADB, JOOQ, ROW_LOCK, "dev.outbox.store.jooq.MariaDbTckTest", "mariadb"),
            new Backend("H2", JOOQ, ROW_LOCK, "dev.outbox.store.jooq.H2TckTest", ""),
            new Backend(
                    "Redis 6.2+, one server",
                    "outbox-store-redis",
                    LEASE,
                    "dev.outbox.store.redis.RedisTckTest",
                    "redis"),
            new Backend(SENTINEL, "outbox-store-redis", LEASE, "dev.outbox.store.redis.RedisFailoverTckTest", "redis"),
            new Backend(CLUSTER, "outbox-store-redis", LEASE, "dev.outbox.store.redis.RedisClusterTckTest", "redis"),
            new Backend("MongoDB 5.0+, one member", MONGO, LEASE, "dev.outbox.store.mongo.MongoTckTest", "mongo"),
            new Backend(MEMBERS, MONGO, LEASE, "dev.outbox.store.mongo.MongoFailoverTckTest", "mongo"),
            new Backend(SHARDS, MONGO, LEASE, "dev.outbox.store.mongo.MongoShardedTckTest", "mongo-sharded"));

    @Test
    void theReadmeSaysWhatTheReportsSay() throws IOException {
        TABLE.saysWhatTheReportsSay(BACKENDS);
    }
}
