package dev.outbox.store.jooq;

import java.util.List;
import org.junit.jupiter.api.Tag;

/** Settings on MySQL. */
@Tag("mysql")
class MySqlSettingsTest extends SettingsTest {
    MySqlSettingsTest() {
        super(new MySqlHarness());
    }

    @Override
    List<String> harmless() {
        return List.of(
                "autoReconnect=true",
                "autoReconnect=true&autoReconnectForPools=true",
                "useServerPrepStmts=true",
                "useServerPrepStmts=true&cachePrepStmts=true&prepStmtCacheSize=250&prepStmtCacheSqlLimit=2048",
                "cachePrepStmts=false",
                "useCursorFetch=true&defaultFetchSize=1",
                "rewriteBatchedStatements=true",
                "rewriteBatchedStatements=true&useServerPrepStmts=true",
                "useLocalSessionState=true",
                "useLocalTransactionState=true",
                "elideSetAutoCommits=true",
                "cacheServerConfiguration=true",
                "cacheResultSetMetadata=true",
                "maintainTimeStats=false",
                "allowMultiQueries=true",
                "allowMultiQueries=false",
                "sessionVariables=sql_mode='ANSI'",
                "sessionVariables=sql_mode=''",
                "sessionVariables=sql_mode='NO_BACKSLASH_ESCAPES'",
                "sessionVariables=sql_mode='PAD_CHAR_TO_FULL_LENGTH'",
                "sessionVariables=autocommit=0",
                "sessionVariables=time_zone='%2B13:00'",
                "sessionVariables=transaction_isolation='SERIALIZABLE'",
                "sessionVariables=innodb_lock_wait_timeout=1,lock_wait_timeout=1",
                "sessionVariables=sql_safe_updates=1",
                "sessionVariables=completion_type=1",
                "sessionVariables=auto_increment_increment=5,auto_increment_offset=3",
                "connectionCollation=utf8mb4_unicode_ci",
                "connectionCollation=utf8mb4_bin",
                "characterEncoding=UTF-8",
                "serverTimezone=Asia/Kolkata",
                "connectionTimeZone=UTC&forceConnectionTimeZoneToSession=true",
                "connectionTimeZone=LOCAL",
                "preserveInstants=false",
                "tinyInt1isBit=false",
                "tinyInt1isBit=true&transformedBitIsBoolean=true",
                "yearIsDateType=false",
                "useAffectedRows=true",
                "zeroDateTimeBehavior=CONVERT_TO_NULL",
                "noDatetimeStringSync=true",
                "sendFractionalSeconds=false",
                "useCompression=true",
                "useSSL=false",
                "readOnlyPropagatesToServer=false",
                "continueBatchOnError=false",
                "emulateUnsupportedPstmts=false",
                "useOldAliasMetadataBehavior=true",
                "allowLoadLocalInfile=true",
                "useInformationSchema=true",
                "treatUtilDateAsTimestamp=false",
                "autoSlowLog=false",
                "dontTrackOpenResources=true",
                "holdResultsOpenOverStatementClose=true",
                "interactiveClient=true",
                "socketTimeout=20000",
                "tcpKeepAlive=false",
                "paranoid=true",
                "enableQueryTimeouts=false",
                "databaseTerm=SCHEMA",
                "nullDatabaseMeansCurrent=true");
    }

    @Override
    List<String[]> refused() {
        return List.of(
                new String[] {"connectionCollation=latin1_swedish_ci", "character set", "over a pool"},
                new String[] {"characterEncoding=latin1", "character set", "over a pool"});
    }
}
