// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useQuery } from '../router';
import '../styles/work.css';
import { CampaignList } from './campaigns/List';
import { CampaignNew } from './campaigns/New';
import { CampaignShow } from './campaigns/Show';
import { CampaignPrint } from './campaigns/Print';

// ?view=new; ?product=…&firmware=…&campaign=…, also with &view=print.
export function Campaigns() {
    const [product] = useQuery('product');
    const [firmware] = useQuery('firmware');
    const [campaign] = useQuery('campaign');
    const [view] = useQuery('view');
    if (view === 'new')
        return <CampaignNew />;
    if (!product || !firmware || !campaign)
        return <CampaignList />;
    const where = { product, firmware, campaign };
    const key = `${product}/${firmware}/${campaign}`;
    return view === 'print' ? <CampaignPrint key={key} where={where} /> : <CampaignShow key={key} where={where} />;
}
