package dev.outbox.store.jooq;

import java.util.List;
import org.junit.jupiter.api.Tag;

/** Settings on PostgreSQL. */
@Tag("postgres")
class PostgresSettingsTest extends SettingsTest {
    PostgresSettingsTest() {
        super(new PostgresHarness());
    }

    @Override
    List<String> harmless() {
        return List.of(
                "prepareThreshold=0",
                "prepareThreshold=1",
                "preferQueryMode=simple",
                "preferQueryMode=extendedForPrepared",
                "preferQueryMode=extendedCacheEverything",
                "autosave=always",
                "autosave=conservative",
                "autosave=always&cleanupSavepoints=true",
                "defaultRowFetchSize=2",
                "adaptiveFetch=true&defaultRowFetchSize=1&maxResultBuffer=10000000",
                "readOnlyMode=ignore&readOnly=true",
                "targetServerType=primary",
                "loadBalanceHosts=true",
                "tcpKeepAlive=false",
                "socketTimeout=20",
                "connectTimeout=20",
                "stringtype=unspecified",
                "binaryTransfer=false",
                "binaryTransferDisable=20,1184",
                "reWriteBatchedInserts=true",
                "assumeMinServerVersion=17",
                "preparedStatementCacheQueries=0",
                "databaseMetadataCacheFields=0",
                "quoteReturningIdentifiers=false",
                "disableColumnSanitiser=true",
                "hideUnprivilegedObjects=true",
                "currentSchema=public",
                "escapeSyntaxCallMode=call",
                "gssEncMode=disable",
                "sslmode=disable",
                "channelBinding=disable",
                "logServerErrorDetail=false",
                "ApplicationName=shop",
                "options=-c%20default_transaction_isolation=serializable",
                "options=-c%20default_transaction_isolation=repeatable%5C%20read",
                "options=-c%20lock_timeout=1%20-c%20statement_timeout=20000",
                "options=-c%20timezone=Asia/Kolkata%20-c%20datestyle=SQL,DMY",
                "options=-c%20bytea_output=escape%20-c%20standard_conforming_strings=on",
                "options=-c%20synchronous_commit=off%20-c%20jit=on",
                "options=-c%20plan_cache_mode=force_custom_plan");
    }

    @Override
    List<String[]> refused() {
        return List.of(
                new String[] {"prepareThreshold=-1", "prepareThreshold=-1"},
                new String[] {"options=-c%20default_transaction_read_only=on", "read-only"});
    }
}
