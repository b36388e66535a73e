package dev.outbox.store.jooq;

import java.util.List;
import org.junit.jupiter.api.Tag;

/** Settings on MariaDB. */
@Tag("mariadb")
class MariaDbSettingsTest extends SettingsTest {
    MariaDbSettingsTest() {
        super(new MariaDbHarness());
    }

    @Override
    List<String> harmless() {
        return List.of(
                "useBulkStmts=true",
                "useBulkStmts=true&useBulkStmtsForInserts=true",
                "useServerPrepStmts=true",
                "useServerPrepStmts=true&prepStmtCacheSize=0",
                "cachePrepStmts=false",
                "allowMultiQueries=true",
                "allowMultiQueries=false",
                "sessionVariables=sql_mode='ANSI'",
                "sessionVariables=sql_mode=''",
                "sessionVariables=sql_mode='ORACLE'",
                "sessionVariables=sql_mode='NO_BACKSLASH_ESCAPES'",
                "sessionVariables=autocommit=0",
                "sessionVariables=time_zone='+13:00'",
                "sessionVariables=tx_isolation='SERIALIZABLE'",
                "sessionVariables=innodb_lock_wait_timeout=1,lock_wait_timeout=1",
                "sessionVariables=sql_safe_updates=1",
                "sessionVariables=completion_type=1",
                "sessionVariables=auto_increment_increment=5,auto_increment_offset=3",
                "sessionVariables=old_mode=''",
                "sessionVariables=innodb_snapshot_isolation=ON",
                "disablePipeline=true",
                "usePipelineAuth=false",
                "autocommit=false",
                "autocommit=true",
                "useAffectedRows=true",
                "useMysqlMetadata=true",
                "connectionCollation=utf8mb4_unicode_ci",
                "transactionIsolation=SERIALIZABLE",
                "defaultFetchSize=1",
                "maxQuerySizeToLog=10",
                "useCompression=true",
                "tinyInt1isBit=false",
                "transformedBitIsBoolean=true",
                "yearIsDateType=false",
                "timezone=UTC",
                "connectionTimeZone=UTC",
                "forceConnectionTimeZoneToSession=true",
                "preserveInstants=true",
                "tcpKeepAlive=false",
                "socketTimeout=20000",
                "includeInnodbStatusInDeadlockExceptions=true",
                "includeThreadDumpInDeadlockExceptions=true",
                "assureReadOnly=true",
                "useReadAheadInput=true",
                "cacheCodecs=true",
                "dumpQueriesOnException=true",
                "blankTableNameMeta=true",
                "nullDatabaseMeansCurrent=true",
                "returnMultiValuesGeneratedIds=true",
                "permitMysqlScheme=true",
                "transactionReplay=false",
                "geometryDefaultType=default",
                "restrictedAuth=mysql_native_password",
                "permitNoResults=true");
    }

    @Override
    List<String[]> refused() {
        return List.<String[]>of(new String[] {"transactionReplay=true", "in another session", "over a pool"});
    }
}
